import { SluiceError } from "@sluice/core/errors";
import type { StatisticsFilter } from "@sluice/core/inputs/statistics";
import { FIVE_MINUTES_MS } from "@sluice/core/overview";
import type { SeriesSplit, StatisticsStep } from "@sluice/core/statistics";
import { DAY_MS } from "@sluice/core/time-zone";
import { rowScope } from "../access.ts";
import type { Ctx } from "../context.ts";
import { type BucketPlan, planBuckets } from "./plan-buckets.ts";
import type { SumsAsk } from "./sums-statement.ts";

/** What the inputs share: how a range, a zone and a filter are interpreted, and what of it an actor may ask for. */
export interface AskedRange {
  from?: number | undefined;
  to?: number | undefined;
  step: StatisticsStep | "auto";
  zone?: string | undefined;
}

/** Sums have five-minute buckets, so ranges that end within the same bucket are the same question. */

/** The end of the current five minutes. */
export function nowEdge(ctx: Ctx): number {
  return (Math.floor(ctx.clock.now() / FIVE_MINUTES_MS) + 1) * FIVE_MINUTES_MS;
}

/** The buckets of a range; by default of the last 24 hours. `wanted`: how many to aim for when the step is `auto`. */
export function planOf(ctx: Ctx, { from, to, step, zone }: AskedRange, wanted?: number): BucketPlan {
  const toMs = to ?? Math.max(nowEdge(ctx), (from ?? 0) + 1);
  const fromMs = from ?? toMs - DAY_MS;
  return planBuckets({ fromMs, toMs, step, wanted, zone: zoneOf(ctx, zone), fineFromMs: fineFrom(ctx) });
}

export function zoneOf(ctx: Ctx, zone: string | undefined): string {
  return zone ?? ctx.snapshot.current().settings["time.zone"];
}

/** Before this time there are no five-minute sums. */
export function fineFrom(ctx: Ctx): number {
  return ctx.clock.now() - ctx.snapshot.current().settings["retention.fiveMinuteDays"] * DAY_MS;
}

/** @throws SluiceError `forbidden`: users must not see providers. */
export function refuseSplit(ctx: Ctx, by: SeriesSplit): void {
  if (by === "provider" && rowScope(ctx).userId !== null) throw new SluiceError("forbidden", { field: "by" });
}

/**
 * Which sums to read for a filter and actor.
 * @throws SluiceError `forbidden` when a user names a provider or another user, `not_found` when they name a key that is not theirs.
 */
export async function sumsAsk(ctx: Ctx, { userId, tag, ...filter }: StatisticsFilter): Promise<SumsAsk> {
  const { userId: own, keyId: ownKey } = rowScope(ctx);
  if (own !== null && filter.providerId !== undefined) throw new SluiceError("forbidden", { field: "filter.providerId" });
  if (own !== null && userId !== undefined && userId !== own) throw new SluiceError("forbidden", { field: "filter.userId" });
  if (ownKey !== null && (filter.keyId ?? ownKey) !== ownKey) throw new SluiceError("not_found", { field: "filter.keyId" });
  const keyId = ownKey ?? filter.keyId;
  const ask: SumsAsk = {
    tenantId: ctx.tenantId,
    userId: own ?? userId ?? null,
    filter: { ...filter, keyId },
    keyIds: null,
    ownerIds: null,
  };
  if (keyId === undefined && tag === undefined) return ask;
  const keys = await findKeys(ctx, { own, keyId, tag });
  if (own !== null && keyId !== undefined && tag === undefined && keys.length === 0)
    throw new SluiceError("not_found", { field: "filter.keyId" });
  // Deleted keys still have sums.
  const ownerIds = keys.length > 0 || tag !== undefined ? [...new Set(keys.map(({ userId }) => userId))] : null;
  return { ...ask, ownerIds, keyIds: tag === undefined ? null : keys.map(({ id }) => id) };
}

const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);

async function findKeys(
  ctx: Ctx,
  { own, keyId, tag }: { own: string | null; keyId: string | undefined; tag: string | undefined },
): Promise<{ id: string; userId: string }[]> {
  const values: unknown[] = [ctx.tenantId];
  const where = ["tenant_id = $1"];
  if (own !== null) where.push(`user_id = $${values.push(own)}::uuid`);
  if (keyId !== undefined && !isUuid(keyId)) return [];
  if (keyId !== undefined) where.push(`id = $${values.push(keyId)}::uuid`);
  if (tag !== undefined) where.push(`tags @> ARRAY[$${values.push(tag)}]`);
  const { rows } = await ctx.pool.query<{ id: string; userId: string }>(
    `SELECT id::text, user_id::text AS "userId" FROM keys WHERE ${where.join(" AND ")}`,
    values,
  );
  return rows;
}
