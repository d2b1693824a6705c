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

/** Range shown when the filter has no beginning. */
const DEFAULT_SPAN_MS = 24 * 3_600_000;
const MOST_UNSETTLED = 5_000;

export interface LogHistogram extends HistogramSpan {
  /** Non-empty buckets only, oldest first. */
  buckets: HistogramBucket[];
  /** Filter fields that the sums cannot answer. If there are any, there are no buckets. */
  unanswered: (keyof LogFilter)[];
  /** Counted requests whose end may still arrive over the bus: followers must not count them again. */
  countedIds: string[];
  /** Bus position read before the sums: followers count what ends after it. */
  busId: string;
  /** Requests that ended before this time are counted, even if they are not listed in `countedIds`. */
  serverNowMs: number;
}

/**
 * Number of requests over the filter's time range (default: the last 24 hours), by bucket and class. The sums cover settled requests;
 * those that ended but are not settled yet are added from the registry.
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
