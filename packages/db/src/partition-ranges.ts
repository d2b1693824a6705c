/** How new partitions are cut: UTC time ranges without gaps or overlaps, however the earlier ones were cut. */
export type PartitionSpan = "monthly" | "weekly";

/** ms since the epoch, `fromMs` inclusive, `toMs` exclusive. */
export interface TimeRange {
  fromMs: number;
  toMs: number;
}

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** 1970-01-05, a Monday. */
const FIRST_MONDAY_MS = 4 * DAY_MS;

/** The calendar month, or the week from Monday, that contains `ms`. */
export function spanAt(ms: number, span: PartitionSpan): TimeRange {
  if (span === "weekly") {
    const fromMs = Math.floor((ms - FIRST_MONDAY_MS) / WEEK_MS) * WEEK_MS + FIRST_MONDAY_MS;
    return { fromMs, toMs: fromMs + WEEK_MS };
  }
  const date = new Date(ms);
  const at = (offset: number) => Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + offset, 1);
  return { fromMs: at(0), toMs: at(1) };
}

/** The range to create for `ms`: the part of its span that nothing else covers; null when `ms` is covered. */
export function missingAt(covered: readonly TimeRange[], ms: number, span: PartitionSpan): TimeRange | null {
  let { fromMs, toMs } = spanAt(ms, span);
  for (const range of covered) {
    if (range.fromMs <= ms && ms < range.toMs) return null;
    if (range.toMs <= ms) fromMs = Math.max(fromMs, range.toMs);
    else toMs = Math.min(toMs, range.fromMs);
  }
  return { fromMs, toMs };
}

/** The ranges to create so that everything is covered from the span of `fromMs` to the end of that of `toMs`, in order. */
export function missingBetween(covered: readonly TimeRange[], { fromMs, toMs }: TimeRange, span: PartitionSpan): TimeRange[] {
  const missing: TimeRange[] = [];
  const endMs = spanAt(toMs, span).toMs;
  for (let ms = spanAt(fromMs, span).fromMs; ms < endMs; ) {
    const over = covered.find((range) => range.fromMs <= ms && ms < range.toMs);
    if (over) {
      ms = over.toMs;
      continue;
    }
    const range = missingAt(covered, ms, span);
    if (!range) break;
    missing.push(range);
    ms = range.toMs;
  }
  return missing;
}

/** The start of the span that is `count` spans after that of `ms`. */
export function spansAfter(ms: number, count: number, span: PartitionSpan): number {
  let range = spanAt(ms, span);
  for (let step = 0; step < Math.abs(count); step++) range = spanAt(count > 0 ? range.toMs : range.fromMs - 1, span);
  return range.fromMs;
}
