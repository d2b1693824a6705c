/**
 * When a provider may be used: daily windows in a time zone. The current state and its next change are computed once and
 * then only compared with the clock until the change.
 */
import { DAY_MS, localDayOf, localInstant } from "../time-zone.ts";

/** HH:mm to HH:mm; a `to` before `from` is on the next day, and equal times mean the whole day. */
export interface ScheduleWindow {
  readonly from: string;
  readonly to: string;
}

export interface Schedule {
  /** IANA name. */
  readonly zone: string;
  /** Empty = always. */
  readonly windows: readonly ScheduleWindow[];
}

export interface ScheduleState {
  readonly open: boolean;
  /** ms since the epoch: nothing changes before; Infinity = never. */
  readonly untilMs: number;
}

const always: ScheduleState = { open: true, untilMs: Number.POSITIVE_INFINITY };

interface Known extends ScheduleState {
  readonly sinceMs: number;
}

const states = new WeakMap<Schedule, Known>();

/** Whether a schedule is open at an instant. A closed one opens within two days; jumps of the clock are handled. */
export function scheduleAt(schedule: Schedule | undefined, nowMs: number): ScheduleState {
  if (!schedule || schedule.windows.length === 0) return always;
  let known = states.get(schedule);
  if (!known || nowMs < known.sinceMs || nowMs >= known.untilMs) {
    known = { ...stateAt(schedule, nowMs), sinceMs: nowMs };
    states.set(schedule, known);
  }
  return known;
}

/**
 * Spans begin and end at local clock times, so 09:00 stays 09:00 across daylight saving changes; touching or overlapping spans
 * are merged.
 */
function stateAt({ zone, windows }: Schedule, nowMs: number): ScheduleState {
  const today = localDayOf(nowMs, zone);
  const spans = [-1, 0, 1, 2]
    .flatMap((day) => windows.map((window) => spanOf(window, today + day * DAY_MS, zone)))
    .toSorted((a, b) => a.fromMs - b.fromMs);
  let openUntil: number | null = null;
  for (const { fromMs, toMs } of spans) {
    if (toMs <= nowMs) continue;
    if (openUntil === null && fromMs > nowMs) return { open: false, untilMs: fromMs };
    if (openUntil !== null && fromMs > openUntil) break;
    openUntil = Math.max(openUntil ?? 0, toMs);
  }
  return { open: true, untilMs: openUntil ?? nowMs + DAY_MS };
}

function spanOf({ from, to }: ScheduleWindow, day: number, zone: string): { fromMs: number; toMs: number } {
  const [begins, ends] = [minutesOf(from), minutesOf(to)];
  const endDay = ends > begins ? day : day + DAY_MS;
  return { fromMs: localInstant(day + begins * 60_000, zone), toMs: localInstant(endDay + ends * 60_000, zone) };
}

function minutesOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
}
