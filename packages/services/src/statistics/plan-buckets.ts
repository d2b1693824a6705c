import { SluiceError } from "@sluice/core/errors";
import { FIVE_MINUTES_MS } from "@sluice/core/overview";
import { type Buckets, type StatisticsStep, statisticsSteps } from "@sluice/core/statistics";
import { DAY_MS, HOUR_MS, localDayOf, localInstant, zoneOffsetMs } from "@sluice/core/time-zone";
import { type BucketList, bucketsOf, joinBuckets, wholeHour } from "../overview/overview-statements.ts";
import { type SlotPieces, slotPieces } from "./slot-pieces.ts";

/**
 * The buckets of a range, and the rollup buckets that they consist of. Up to an hour, buckets are equally long and aligned with the
 * zone's hours; days, weeks and months follow its calendar. Every bucket begins and ends on a bucket of the sums.
 */
export interface BucketPlan extends Buckets {
  /** The rollup buckets of all buckets, joined. */
  buckets: BucketList;
  /** What the buckets are composed of where sums may also be subtracted: fewer rows for days of most zones. */
  pieces: SlotPieces;
  /** The whole range as one piece, which needs the fewest rows. */
  range: BucketList;
}

const lengths: Record<StatisticsStep, number> = {
  ...{ "5m": FIVE_MINUTES_MS, "15m": 3 * FIVE_MINUTES_MS, "30m": 6 * FIVE_MINUTES_MS, hour: HOUR_MS },
  ...{ day: DAY_MS, week: 7 * DAY_MS, month: 30 * DAY_MS },
};
/** Number of buckets to aim for when the step is chosen here, and the limit for a requested step. */
const WANTED = 100;
const MOST = 400;

export interface RangeAsk {
  fromMs: number;
  toMs: number;
  step: StatisticsStep | "auto";
  /** Number of buckets to aim for when the step is `auto`; absent = {@link WANTED}. */
  wanted?: number | undefined;
  zone: string;
  /** Before this time there are no five-minute sums. */
  fineFromMs: number;
}

/** @throws SluiceError `invalid_request` for a step that gives too many buckets, or whose sums are no longer kept. */
export function planBuckets(ask: RangeAsk): BucketPlan {
  const { fromMs, toMs, zone, fineFromMs } = ask;
  // The first bucket may begin up to an hour before the range.
  const isFine = fromMs - HOUR_MS >= fineFromMs;
  const step = ask.step === "auto" ? finestStep(ask, isFine) : ask.step;
  const count = (toMs - fromMs) / lengths[step];
  if (count > MOST) throw refused(`a range has at most ${MOST} buckets`);
  if (lengths[step] < HOUR_MS && !isFine) throw refused("sums of this step are kept no more for the beginning of this range");
  const edges = lengths[step] <= HOUR_MS ? equalEdges(ask, lengths[step], isFine) : calendarEdges(ask, step);
  const endMs = edges.pop() ?? toMs;
  const ends = [...edges.slice(1), endMs];
  return {
    ...{ zone, step, times: edges, endMs },
    // Computed lazily: a cached answer needs only the edges.
    get buckets() {
      return joinBuckets(edges.map((start, at) => bucketsOf(start, ends[at] ?? endMs, fineFromMs)));
    },
    get pieces() {
      return slotPieces({ times: edges, endMs }, fineFromMs);
    },
    get range() {
      return bucketsOf(edges[0] ?? fromMs, endMs, fineFromMs);
    },
  };
}

function finestStep({ fromMs, toMs, wanted = WANTED }: RangeAsk, isFine: boolean): StatisticsStep {
  const finest = isFine ? 0 : HOUR_MS;
  return statisticsSteps.find((step) => lengths[step] >= finest && (toMs - fromMs) / lengths[step] <= wanted) ?? "month";
}

function refused(message: string): SluiceError {
  return new SluiceError("invalid_request", { message: `step: ${message}`, field: "step" });
}

/** Bucket starts, and the end of the last one. A zone's hours may begin at any quarter of an hour; hourly sums do not. */
function equalEdges({ fromMs, toMs, zone }: RangeAsk, lengthMs: number, isFine: boolean): number[] {
  const offsetMs = isFine ? wholeFive(zoneOffsetMs(fromMs, zone)) : 0;
  const startMs = Math.floor((fromMs + offsetMs) / lengthMs) * lengthMs - offsetMs;
  const count = Math.ceil((toMs - startMs) / lengthMs);
  return Array.from({ length: count + 1 }, (_, at) => startMs + at * lengthMs);
}

function calendarEdges({ fromMs, toMs, zone, fineFromMs }: RangeAsk, step: StatisticsStep): number[] {
  const edgeOf = (local: number): number => wholeHour(wholeFive(localInstant(local, zone)), fineFromMs);
  let local = periodStart(localDayOf(fromMs, zone), step);
  // Time before the first whole hour of a day belongs to the day before.
  if (edgeOf(local) > fromMs) local = movedBy(local, step, -1);
  const edges = [edgeOf(local)];
  while ((edges.at(-1) ?? toMs) < toMs) {
    local = movedBy(local, step, 1);
    edges.push(edgeOf(local));
  }
  return edges;
}

/** The day, Monday or first of the month that contains a local day; local days are represented as if they were UTC. */
export function periodStart(localDay: number, step: StatisticsStep): number {
  const date = new Date(localDay);
  if (step === "month") return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  return step === "week" ? localDay - ((date.getUTCDay() + 6) % 7) * DAY_MS : localDay;
}

export function movedBy(localDay: number, step: StatisticsStep, count: number): number {
  const date = new Date(localDay);
  if (step === "month") return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + count, 1);
  return localDay + count * (step === "week" ? 7 : 1) * DAY_MS;
}

/** Historical offsets have odd seconds; sums do not. */
function wholeFive(ms: number): number {
  return Math.floor(ms / FIVE_MINUTES_MS) * FIVE_MINUTES_MS;
}
