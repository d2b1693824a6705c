import type { HistogramView } from "../../live/log-histogram.ts";

const DAY_MS = 86_400_000;
const time = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
const day = { month: "short", day: "numeric" } as const;

/** Start of a bucket: the time of day, with the date if the view spans several days; only the date for whole days. */
export function bucketText(ms: number, { stepMs, fromMs, toMs }: HistogramView, language: string): string {
  const severalDays = new Date(fromMs).toDateString() !== new Date(toMs - 1).toDateString();
  const wholeDays = stepMs >= DAY_MS;
  const options = { ...((severalDays || wholeDays) && day), ...(!wholeDays && time) };
  return new Intl.DateTimeFormat(language, options).format(ms);
}
