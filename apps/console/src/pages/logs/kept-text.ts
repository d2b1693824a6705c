import { formatDate } from "../../format.ts";

/** Values of the sentence that says since when requests are kept. */
export function keptText(kept: { fromMs: number; days: number }, language: string): { time: string; count: number } {
  return { time: formatDate(kept.fromMs, language), count: kept.days };
}
