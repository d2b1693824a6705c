import { GetSeriesInput } from "@sluice/core/inputs/statistics";
import { formatUsd } from "@sluice/core/money";
import { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { csvHead, csvLines } from "../csv.ts";
import { parse } from "../parse.ts";
import { getSeries } from "./get-series.ts";

export const ExportSeriesInput = GetSeriesInput.safeExtend({ format: z.enum(["csv", "json"]) });

const names = "from to id requests errors tokens cost_usd ttft_ms duration_ms prompt_tokens cache_read_tokens".split(" ");

/**
 * The series as one row per bucket and series: times in ISO 8601, cost as decimal text, mean durations in milliseconds (null where
 * nothing was measured), `id` null for what has no series of its own.
 * @throws SluiceError as `getSeries` does.
 */
export async function exportSeries(ctx: Ctx, input: z.input<typeof ExportSeriesInput>): Promise<AsyncIterable<string>> {
  requireAccess(ctx.actor, "key");
  const { format, ...asked } = parse(ExportSeriesInput, input);
  const { times, endMs, series } = await getSeries(ctx, asked);
  const time = (ms: number | undefined): string => new Date(ms ?? endMs).toISOString();
  const mean = (sum = 0, of = 0): number | null => (of > 0 ? Math.round(sum / of) : null);
  async function* pieces(): AsyncGenerator<string> {
    yield format === "csv" ? csvHead(names) : "[";
    for (const [index, one] of series.entries()) {
      const rows = times.map((ms, at) => [
        ...[time(ms), time(times[at + 1]), one.id, one.requests[at] ?? 0, one.errors[at] ?? 0, one.tokens[at] ?? 0],
        ...[formatUsd(BigInt(one.costNanoUsd[at] ?? "0")), mean(one.ttftMsSum[at], one.ttftCount[at])],
        ...[mean(one.durationMsSum[at], one.requests[at]), one.prompt[at] ?? 0, one.cached[at] ?? 0],
      ]);
      if (format === "csv") yield csvLines(rows);
      else yield (index > 0 ? "," : "") + rows.map((row) => jsonOf(row)).join(",\n");
    }
    if (format === "json") yield "]\n";
  }
  return pieces();
}

function jsonOf(row: readonly unknown[]): string {
  return JSON.stringify(Object.fromEntries(names.map((name, at) => [name, row[at]])));
}
