import type { LogFilter } from "@sluice/core/inputs/log";
import { matchesLog } from "@sluice/core/match-log";
import type { RequestRow } from "@sluice/core/requests";
import { statusClassOf } from "@sluice/core/status-class";
import { ensurePartitionFor } from "@sluice/db/partitions";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { seededRandom } from "@sluice/testing/seeded-random";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { countByBucket, spanOf, unanswered } from "../src/histogram.ts";
import { listModels } from "../src/models.ts";
import { settleBatch } from "../src/settle-batch.ts";
import { finishOf } from "./arrange.ts";

const HOUR = 3_600_000;
const now = Date.now();
let db: TestDatabase;
let rows: RequestRow[];

beforeAll(async () => {
  db = await createTestDatabase();
  const random = seededRandom(7);
  const pick = <T>(...of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const outcomes: readonly Pick<RequestRow, "state" | "status">[] = [
    { state: "done", status: 200 },
    { state: "error", status: 502 },
    { state: "error", status: 400 },
    { state: "error", status: 200 },
    { state: "aborted", status: 200 },
    { state: "refused", status: 429 },
  ];
  const records = Array.from({ length: 600 }, () =>
    finishOf({
      ...pick(...outcomes),
      startedAtMs: now - Math.floor(random() * 40 * 24 * HOUR),
      userId: pick("u1", "u2"),
      keyId: pick("k1", "k2"),
      providerId: pick("p1", "p2", ""),
      model: pick("m1", "m2", "m3"),
      group: pick("g1", "g2"),
      dialect: pick("openai", "anthropic"),
    }),
  );
  for (const { row } of records) await ensurePartitionFor(db.pool, row.id);
  await settleBatch(db.pool, records);
  rows = records.map(({ row }) => row);
});
afterAll(() => db?.drop());

const query = (filter: LogFilter, fromMs: number, userId?: string) => ({
  ...{ tenantId: "default", filter, scope: { userId }, span: spanOf(fromMs, now), unsettled: [] },
});

describe("the histogram", () => {
  test.each<[string, LogFilter]>([
    ["everything", {}],
    ["a user", { userId: "u1" }],
    ["a key and a model", { keyId: "k2", model: "m3" }],
    ["a provider, without a model", { providerId: "p1", notModel: ["m1", "m2"] }],
    ["a group of a dialect", { group: "g1", dialect: "openai" }],
    ["a class", { statusClass: "5xx" }],
    ["all but two classes", { notStatusClass: ["2xx", "refused"] }],
    ["a state", { state: "error" }],
    ["all but a state, of a class", { notState: ["aborted"], statusClass: "aborted" }],
  ])("of %s counts each row in its bucket and class", async (_name, filter) => {
    for (const fromMs of [now - 23 * HOUR, now - 6 * 24 * HOUR, now - 39 * 24 * HOUR]) {
      const { span } = query(filter, fromMs);
      const expected: Record<string, number> = {};
      for (const row of rows) {
        if (row.startedAtMs < span.fromMs || row.startedAtMs >= span.toMs || !matchesLog(row, filter)) continue;
        const cell = `${Math.floor(row.startedAtMs / span.stepMs) * span.stepMs} ${statusClassOf(row)}`;
        expected[cell] = (expected[cell] ?? 0) + 1;
      }
      const { buckets } = await countByBucket(db.pool, query(filter, fromMs));
      const counted = buckets.flatMap(({ atMs, counts }) => Object.entries(counts).map(([name, n]) => [`${atMs} ${name}`, n]));
      expect(Object.fromEntries(counted)).toEqual(expected);
      expect(buckets.map(({ atMs }) => atMs)).toEqual(buckets.map(({ atMs }) => atMs).sort((a, b) => a - b));
    }
  });

  test("of a user is theirs, and knows which requests are settled", async () => {
    const [settled] = rows;
    const { buckets, settled: known } = await countByBucket(db.pool, {
      ...query({}, now - 39 * 24 * HOUR, "u2"),
      unsettled: [settled?.id ?? "", "00000000-0000-7000-8000-000000000000"],
    });
    const total = buckets.reduce((sum, { counts }) => sum + Object.values(counts).reduce((a, b) => a + b, 0), 0);
    const { span } = query({}, now - 39 * 24 * HOUR);
    expect(total).toBe(rows.filter((row) => row.userId === "u2" && row.startedAtMs >= span.fromMs).length);
    expect([...known]).toEqual([settled?.id]);
  });

  test("has whole buckets, at most 122 of them, over any time range", () => {
    for (const hours of [0.1, 1, 24, 24 * 7, 24 * 31, 24 * 365, 24 * 365 * 50]) {
      const { fromMs, toMs, stepMs } = spanOf(now - hours * HOUR, now);
      expect(fromMs).toBeLessThanOrEqual(now - hours * HOUR);
      expect(toMs).toBeGreaterThanOrEqual(now);
      expect((toMs - fromMs) / stepMs).toBeLessThanOrEqual(122);
      expect(fromMs % stepMs).toBe(0);
    }
  });

  test("says what sums cannot answer", () => {
    expect(unanswered({ keyId: "k", statusClass: "5xx", notState: ["in_flight"] })).toEqual([]);
    expect(unanswered({ sessionId: "s", minAttempts: 2, state: "in_flight" })).toEqual(["sessionId", "minAttempts", "state"]);
  });
});

test("models are those asked for in the last 30 days", async () => {
  const recent = new Set(rows.filter(({ startedAtMs }) => startedAtMs > now - 29 * 24 * HOUR).map(({ model }) => model));
  expect(await listModels(db.pool, { tenantId: "default" })).toEqual([...recent].sort());
  expect(await listModels(db.pool, { tenantId: "default", userId: "nobody" })).toEqual([]);
});
