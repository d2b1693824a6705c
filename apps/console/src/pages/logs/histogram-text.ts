import type { HistogramView } from "../../live/log-histogram.ts";

const HOUR = 3_600_000;
const time = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
const day = { month: "short", day: "numeric" } as const;

/** Start of a bucket: the time of day, with the date if the view spans several days; only the date for whole days. */
export function bucketText(ms: number, { stepMs, fromMs, toMs }: HistogramView, language: string): string {
  const several = new Date(fromMs).toDateString() !== new Date(toMs - 1).toDateString();
  const options = stepMs >= 24 * HOUR ? day : several ? { ...day, ...time } : time;
  return new Intl.DateTimeFormat(language, options).format(ms);
}
