import { LogFilter } from "@sluice/core/inputs/log";
import { matchesLog } from "@sluice/core/match-log";
import type { RequestRow } from "@sluice/core/requests";
import { statusClassOf } from "@sluice/core/status-class";
import { countByBucket, type HistogramBucket, type HistogramSpan, spanOf, unanswered } from "@sluice/ledger/histogram";
import { shapeRow } from "@sluice/live/shaping";
import { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { audienceOf, refuseHidden, storedScope } from "./shape-log.ts";

export const LogHistogramInput = z.strictObject({ filter: LogFilter.default({}) });

/** What the last 24 hours are shown by when the filter has no beginning. */
const DEFAULT_SPAN_MS = 24 * 3_600_000;
const MOST_UNSETTLED = 5_000;

export interface LogHistogram extends HistogramSpan {
  /** Those that hold requests, oldest first. */
  buckets: HistogramBucket[];
  /** Conditions that sums cannot answer. When there are any, there are no buckets. */
  unanswered: (keyof LogFilter)[];
  /** Requests that are counted although their end may still come over the bus: not to be counted again. */
  countedIds: string[];
  /** Bus position read before the sums: what ends after it is counted by whoever follows. */
  busId: string;
  /** What ended before it is counted, though it is not named. */
  serverNowMs: number;
}

/**
 * Requests over the filter's time range (the last 24 hours when it has no beginning) by the class they count under.
 * Sums hold what is settled; what has ended and is not settled yet is added from the registry.
 * @throws SluiceError `forbidden` when a user filters by provider, `unavailable` while Postgres cannot be read.
 */
export async function logHistogram(ctx: Ctx, input: z.input<typeof LogHistogramInput> = {}): Promise<LogHistogram> {
  requireAccess(ctx.actor, "key");
  const { filter } = parse(LogHistogramInput, input);
  refuseHidden(ctx, filter);
  const toMs = filter.toMs ?? ctx.clock.now();
  const fineDays = ctx.snapshot.current().settings["retention.fiveMinuteDays"];
  const fromMs = Math.min(filter.fromMs ?? toMs - DEFAULT_SPAN_MS, toMs - 1);
  const span = spanOf(fromMs, toMs, ctx.clock.now() - fineDays * DEFAULT_SPAN_MS);
  const serverNowMs = ctx.clock.now();
  const busId = await ctx.live.bus.position();
  const unknown = unanswered(filter);
  if (unknown.length > 0) return { ...span, buckets: [], unanswered: unknown, countedIds: [], busId, serverNowMs };

  const [scope, audience] = [storedScope(ctx), audienceOf(ctx)];
  const known = await ctx.live.registry.list({ limit: MOST_UNSETTLED });
  const { buckets, settled } = await countByBucket(ctx.pool, {
    ...{ tenantId: ctx.tenantId, filter, scope, span },
    unsettled: known.map(({ id }) => id),
  });
  const whole = { ...filter, fromMs: span.fromMs, toMs: span.toMs };
  const added = known.filter(
    (row) =>
      row.state !== "in_flight" &&
      row.state !== "lost" &&
      !settled.has(row.id) &&
      shapeRow(audience, row) !== null &&
      matchesLog(row, whole),
  );
  const countedIds = [...settled, ...added.map(({ id }) => id)];
  return { ...span, buckets: withRows(buckets, added, span.stepMs), unanswered: [], countedIds, busId, serverNowMs };
}

function withRows(buckets: readonly HistogramBucket[], rows: readonly RequestRow[], stepMs: number): HistogramBucket[] {
  const byTime = new Map(buckets.map((bucket) => [bucket.atMs, { ...bucket, counts: { ...bucket.counts } }]));
  for (const row of rows) {
    const atMs = Math.floor(row.startedAtMs / stepMs) * stepMs;
    const bucket: HistogramBucket = byTime.get(atMs) ?? { atMs, counts: {} };
    const is = statusClassOf(row);
    bucket.counts[is] = (bucket.counts[is] ?? 0) + 1;
    byTime.set(atMs, bucket);
  }
  return [...byTime.values()].sort((a, b) => a.atMs - b.atMs);
}
