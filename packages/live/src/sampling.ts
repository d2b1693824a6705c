import type { Clock } from "@sluice/core/clock";
import type { LiveEvent } from "@sluice/core/events";
import { statusClassOf } from "@sluice/core/status-class";

/** Up to this many rows per second an audience sees all; nobody reads more. */
export const MAX_ROWS_PER_S = 1_000;
/** The sample only grows again after this many calm seconds, so that it does not oscillate. */
const CALM_S = 5;

/**
 * Which rows of a busy audience are shown. Above a thousand new rows per second only one in 2, 4, … is shown, selected by id, so
 * that a row is in the sample with all of its events or none. Other rows travel as `aside`: their start and end are sent, so that
 * counts stay exact and a viewer who already has the row sees it end, but no one adds it, and its progress is left out. Errors are
 * always shown, unless they too exceed a thousand per second.
 */
export interface Sampling {
  /** Counts events and marks them for this audience; returns the same list when all are in the sample. */
  take(events: readonly LiveEvent[]): readonly LiveEvent[];
  /** Like `take`, for events that were counted before. */
  mark(events: readonly LiveEvent[]): readonly LiveEvent[];
  /** Reduces the sample from now on, because not all shown rows get through. */
  thin(): void;
  /** One in this many rows is shown now; 1 = all. Powers of two, so that a row of a thinner sample is in every thicker one. */
  current(): number;
}

export function createSampling(clock: Clock): Sampling {
  const all = createGauge(clock);
  const errors = createGauge(clock);

  function mark(events: readonly LiveEvent[]): readonly LiveEvent[] {
    const sample = all.current();
    if (sample === 1) return events;
    return events.flatMap((event): LiveEvent[] => {
      if (!("rev" in event)) return [event];
      const place = placeOf(event.row.id);
      if (place % sample === 0 || (isError(event) && place % errors.current() === 0)) return [event];
      return event.type === "request.progressed" ? [] : [{ ...event, aside: true }];
    });
  }

  return {
    take(events) {
      for (const event of events) {
        if (!("rev" in event)) continue;
        const isNew = event.type === "request.started" || event.type === "request.refused" || ("quick" in event && event.quick);
        if (isNew) all.count();
        if (isError(event)) errors.count();
      }
      return mark(events);
    },
    mark,
    thin: all.raise,
    current: all.current,
  };
}

interface Gauge {
  count(): void;
  /** Doubles the current value, at most once per second. */
  raise(): void;
  /** The smallest power of two that brings the busiest of the last seconds below the limit. */
  current(): number;
}

function createGauge(clock: Clock): Gauge {
  /** Counts of this second and the ones before it. */
  let seconds = new Array<number>(CALM_S + 1).fill(0);
  let nowS = 0;
  let raisedS = -1;

  function move(): void {
    const second = Math.floor(clock.monotonic() / 1_000);
    const steps = Math.min(seconds.length, Math.max(0, second - nowS));
    if (steps > 0) seconds = [...new Array<number>(steps).fill(0), ...seconds].slice(0, CALM_S + 1);
    nowS = second;
  }

  function current(): number {
    move();
    let sample = 1;
    while (Math.max(...seconds) > MAX_ROWS_PER_S * sample) sample *= 2;
    return sample;
  }

  return {
    count() {
      move();
      seconds[0] = (seconds[0] ?? 0) + 1;
    },
    raise() {
      const sample = current();
      if (raisedS === nowS) return;
      raisedS = nowS;
      seconds[0] = MAX_ROWS_PER_S * sample + 1;
    },
    current,
  };
}

function isError(event: Extract<LiveEvent, { rev: number }>): boolean {
  if (event.type !== "request.finished") return false;
  const is = statusClassOf(event.row);
  return is === "4xx" || is === "5xx";
}

/** Evenly distributed over ids: the last part of a UUIDv7 is random. */
function placeOf(id: string): number {
  return Number.parseInt(id.slice(-8), 16) || 0;
}
