const HOUR = 3_600_000;

/** The beginning of a bucket: the time of day for short ones, with the day for those of an hour or more. */
export function bucketText(ms: number, stepMs: number, language: string): string {
  const time = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
  const day = { month: "short", day: "numeric" } as const;
  const options = stepMs < HOUR ? time : stepMs < 24 * HOUR ? { ...day, ...time } : day;
  return new Intl.DateTimeFormat(language, options).format(ms);
}
