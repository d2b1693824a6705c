import { overviewRanges, overviewSplits } from "@sluice/core/overview-range";
import { z } from "zod";
import { answeredFields, atMs, count, nanoUsd } from "./fields.ts";

export const sumFields = {
  requests: count,
  errors: count,
  input: count,
  output: count,
  cacheWrite: count,
  cacheRead: count,
  costNanoUsd: nanoUsd,
  ttftCount: count,
  ttftMsSum: z.number(),
  durationMsSum: z.number(),
};

const sums = z.object(sumFields).meta({ id: "Sums", description: "Requests, errors (4xx and 5xx), tokens, cost and sums of times." });

export const columnFields = {
  requests: z.array(count),
  errors: z.array(count),
  tokens: z.array(count),
  costNanoUsd: z.array(nanoUsd),
  ttftCount: z.array(count),
  ttftMsSum: z.array(z.number()),
  durationMsSum: z.array(z.number()),
};

const series = z
  .object({ id: z.string().nullable(), ...columnFields })
  .meta({ id: "Series", description: "One value per bucket; id null: all others." });

const top = z.array(
  z.object({ id: z.string(), requests: count, errors: count, tokens: count, costNanoUsd: nanoUsd }).meta({ id: "TopEntry" }),
);

export const overview = z.object({
  range: z.enum(overviewRanges),
  by: z.enum(overviewSplits),
  zone: z.string(),
  day: z.object({ startMs: atMs, endMs: atMs, today: sums }),
  times: z.array(atMs),
  endMs: atMs,
  series: z.array(series),
  top: z.partialRecord(z.enum(overviewSplits), top),
  inFlight: z.array(z.string()),
  sessions: z.array(z.string()),
  serverNowMs: atMs,
});

export const percentiles = z
  .object({ p50: z.number().nullable(), p95: z.number().nullable(), p99: z.number().nullable(), requests: count })
  .meta({ id: "Percentiles", description: "Milliseconds, accurate to 5 %; null: nothing was measured." });

export const latency = z.object({ ttft: percentiles, duration: percentiles, ...answeredFields });
