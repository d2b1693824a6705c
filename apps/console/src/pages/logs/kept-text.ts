import { formatDate } from "../../format.ts";

/** Values for the sentence about how long requests are kept. */
export function keptText(kept: { fromMs: number; days: number }, language: string): { time: string; count: number } {
  return { time: formatDate(kept.fromMs, language), count: kept.days };
}
