import type { RequestRow } from "@sluice/core/requests";

/** Output tokens a second since the first content, so far or in all; null where that says nothing. */
export function tokensPerSecond(row: RequestRow, nowMs: number): number | null {
  const lasted = row.state === "in_flight" ? nowMs - row.startedAtMs : row.durationMs;
  if (lasted === null || row.usage.output === 0) return null;
  const ms = lasted - (row.stream ? (row.ttftMs ?? 0) : 0);
  // A rate over a few milliseconds says nothing.
  return ms >= 100 ? Math.round((row.usage.output / ms) * 1_000) : null;
}
