import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseExact } from "../exact-json.ts";
import { features } from "./features.ts";
import { convertAnswer, convertRequest, convertStream, pairs } from "./pairs.ts";
import { providerAnswer, providerStream } from "./provider-answers.ts";

const pretty = (json: string): string => JSON.stringify(parseExact(json), null, 1);

/**
 * What each pair makes of each feature, in files that are reviewed: the client's request, the converted request, the provider's answer, the
 * converted answer.
 */
describe.each(pairs)("%s → %s", (from, to) => {
  test.each(features.map((feature) => [feature.name, feature] as const))("%s", async (name, { requests, said }) => {
    const request = { ...requests[from], ...(from === "chat" ? { stream_options: { include_usage: true } } : {}) };
    const { body, dropped } = convertRequest([from, to], request);
    const streamed = convertStream([from, to], { ...request, stream: true }, providerStream[to](said));
    const golden = [
      `# ${from} → ${to}: ${name}`,
      "## asked",
      pretty(JSON.stringify(request)),
      "## sent on",
      pretty(body.toString("utf8")),
      `## left out: ${dropped.join(", ") || "nothing"}`,
      ...(said.failsWith ? [] : ["## answer", pretty(convertAnswer([from, to], request, providerAnswer[to](said)))]),
      "## stream",
      streamed.early.trimEnd(),
      "## when it is charged",
      streamed.late.trimEnd(),
      "",
    ].join("\n");
    await expect(golden).toMatchFileSnapshot(join(import.meta.dirname, "golden", `${from}-${to}`, `${name}.txt`));
  });
});
