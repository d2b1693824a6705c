/**
 * Cost windows as instants. Days, weeks and months follow the calendar of the configured zone, so a day with a clock change
 * has 23 or 25 hours. Rolling windows are kept in five-minute buckets, like the rollups: anything younger than the window
 * always counts, and anything older leaves at most one bucket late.
 */
import { DAY_MS, HOUR_MS, localDayOf, localInstant } from "../time-zone.ts";
import type { CostKind } from "./limit-values.ts";

/** How windows are laid out, the same for all owners. */
export interface CostRules {
  zone: string;
  fiveHours: "rolling" | "fixed";
  day: "fixed" | "rolling";
  /** When a fixed day begins, HH:mm. */
  dayAt: string;
}

/** Kinds whose windows the clock starts; the start of `total` is set by its owner. */
export type FixedKind = Exclude<CostKind, "total">;

export interface FixedWindow {
  startMs: number;
  /** Start of the next window. */
  endMs: number;
}

/** The windows of one configuration at an instant. Rolling ones have a length instead of a start. */
export interface CostWindows {
  fixed: Readonly<Partial<Record<FixedKind, FixedWindow>>>;
  /** ms. */
  rolling: Readonly<Partial<Record<FixedKind, number>>>;
  /** Until when these windows hold. */
  untilMs: number;
  /** Identifies the rules: counters made with another layout cannot be used. */
  layout: string;
}

export const SPEND_BUCKET_MS = 300_000;
const FIVE_HOURS_MS = 5 * HOUR_MS;

/** All windows in force at an instant. */
export function costWindows(rules: CostRules, nowMs: number): CostWindows {
  const fixed: Partial<Record<FixedKind, FixedWindow>> = {
    week: weekWindow(rules.zone, nowMs),
    month: monthWindow(rules.zone, nowMs),
  };
  const rolling: Partial<Record<FixedKind, number>> = {};
  if (rules.day === "rolling") rolling.day = DAY_MS;
  else fixed.day = dayWindow(rules, nowMs);
  if (rules.fiveHours === "rolling") rolling["5h"] = FIVE_HOURS_MS;
  else fixed["5h"] = fiveHourWindow(rules, nowMs);
  const untilMs = Math.min(...Object.values(fixed).map(({ endMs }) => endMs));
  return { fixed, rolling, untilMs, layout: `${rules.zone} ${rules.fiveHours} ${rules.day} ${rules.dayAt}` };
}

/** The current day, which begins at HH:mm local time. */
export function dayWindow({ zone, dayAt }: Pick<CostRules, "zone" | "dayAt">, nowMs: number): FixedWindow {
  const midnight = localDayOf(nowMs, zone);
  const atMs = minutesOf(dayAt) * 60_000;
  const begins = (days: number): number => localInstant(midnight + days * DAY_MS + atMs, zone);
  return begins(0) <= nowMs ? { startMs: begins(0), endMs: begins(1) } : { startMs: begins(-1), endMs: begins(0) };
}

/** Five hours counted from the start of the day: for a day from midnight at 00:00, 05:00, 10:00, 15:00 and 20:00; the last is shorter. */
function fiveHourWindow(rules: CostRules, nowMs: number): FixedWindow {
  const day = dayWindow(rules, nowMs);
  const startMs = day.startMs + Math.floor((nowMs - day.startMs) / FIVE_HOURS_MS) * FIVE_HOURS_MS;
  return { startMs, endMs: Math.min(startMs + FIVE_HOURS_MS, day.endMs) };
}

/** The week from Monday 00:00. */
function weekWindow(zone: string, nowMs: number): FixedWindow {
  const midnight = localDayOf(nowMs, zone);
  const sinceMonday = (new Date(midnight).getUTCDay() + 6) % 7;
  const monday = midnight - sinceMonday * DAY_MS;
  return { startMs: localInstant(monday, zone), endMs: localInstant(monday + 7 * DAY_MS, zone) };
}

/** The month from its first day 00:00. */
function monthWindow(zone: string, nowMs: number): FixedWindow {
  const day = new Date(localDayOf(nowMs, zone));
  const first = (months: number): number => localInstant(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + months, 1), zone);
  return { startMs: first(0), endMs: first(1) };
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return hours * 60 + minutes;
}

export function spendBucket(ms: number): number {
  return Math.floor(ms / SPEND_BUCKET_MS);
}

/** The oldest bucket that still counts in a rolling window. */
export function firstBucket(nowMs: number, windowMs: number): number {
  return spendBucket(nowMs) - windowMs / SPEND_BUCKET_MS;
}

/** When a bucket leaves a rolling window, ms. */
export function bucketLeavesMs(bucket: number, windowMs: number): number {
  return (bucket + windowMs / SPEND_BUCKET_MS + 1) * SPEND_BUCKET_MS;
}
