import type { RequestRow } from "@sluice/core/requests";

/** Output tokens per second since the first content, so far or in total; null where the rate would be meaningless. */
export function tokensPerSecond(row: RequestRow, nowMs: number): number | null {
  const lasted = row.state === "in_flight" ? nowMs - row.startedAtMs : row.durationMs;
  if (lasted === null || row.usage.output === 0) return null;
  const ms = lasted - (row.stream ? (row.ttftMs ?? 0) : 0);
  return ms >= 100 ? Math.round((row.usage.output / ms) * 1_000) : null;
}
