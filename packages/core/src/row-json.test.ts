import { expect, test } from "vitest";
import { noUsage, type RequestRow } from "./requests.ts";
import { rowJson } from "./row-json.ts";

/** Every field there is: one that is added to the row has to be added here, and then to the text. */
const row: Required<RequestRow> = {
  id: "019aca11-1111-7111-8111-111111111111",
  tenantId: "default",
  userId: "019aca11-1111-7111-8111-222222222222",
  keyId: "019aca11-1111-7111-8111-333333333333",
  sessionId: "abcdefghijabcdefghij12",
  providerId: "019aca11-1111-7111-8111-444444444444",
  group: "default",
  dialect: "anthropic",
  endpoint: "messages",
  stream: true,
  model: "claude-sonnet-4-5",
  upstreamModel: "",
  state: "done",
  status: 200,
  errorCode: "",
  attempts: 1,
  usage: { input: 120, output: 80, cacheWrite5m: 1, cacheWrite1h: 2, cacheRead: 3 },
  flags: ["estimated", "partial"],
  costNanoUsd: "1560000",
  billable: true,
  startedAtMs: 1_764_288_000_123,
  ttftMs: 12,
  durationMs: 34,
  client: "claude-code 2.1",
  correctsId: null,
};

const odd = ['quo"te', "back\\slash", "\u0000\u001f\n", "\ud800", "😀", "\u2028 é 中", "\u007f", "</script>", ""];

test("a row is written to the letter as JSON.stringify writes it", () => {
  const rows: RequestRow[] = [
    row,
    { ...row, usage: noUsage, flags: [], costNanoUsd: null, ttftMs: null, durationMs: null, correctsId: row.id, stream: false },
    { ...row, status: -0, startedAtMs: 1e21, ttftMs: Number.NaN, durationMs: Number.POSITIVE_INFINITY, attempts: 1.5 },
    ...odd.map((each) => ({ ...row, model: each, client: each, group: each, errorCode: each, costNanoUsd: each })),
  ];
  for (const each of rows) expect(rowJson(each)).toBe(JSON.stringify(each));
});
