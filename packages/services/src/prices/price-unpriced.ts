import type { LiveEvent } from "@sluice/core/events";
import { FINAL_REV } from "@sluice/core/events";
import type { RequestRow } from "@sluice/core/requests";
import type { ModelRedirects } from "@sluice/core/routing/model-redirects";
import { priceInForce } from "@sluice/core/routing/refusals";
import { type Charge, type Correction, correctCosts } from "@sluice/ledger/correct-costs";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";

/** Requests priced per transaction: the settler waits no longer than for one of its own batches. */
export const CORRECTED_AT_ONCE = 200;

/**
 * Prices the requests that were recorded without a price and whose model has one now, at the current price and multipliers, batch by
 * batch until none is left or `signal` aborts. Each request is priced once: wherever this runs and however often it is killed, it
 * continues after the last committed batch. @returns the number of priced requests.
 */
export async function priceUnpriced(ctx: Ctx, signal?: AbortSignal): Promise<number> {
  let priced = 0;
  const providers = await readProviders(ctx);
  for (const { model, providerId } of await findUnpriced(ctx)) {
    const provider = providers.get(providerId);
    const { prices, settings, groups } = ctx.snapshot.current();
    const price = priceInForce(prices, settings, { modelRedirects: provider?.modelRedirects ?? {} }, model);
    if (!price) continue;
    const providerMultiplier = provider?.costMultiplier ?? "1";
    const chargeOf = ({ group }: RequestRow): Charge => {
      return { price, providerMultiplier, groupMultiplier: groups.get(group)?.costMultiplier ?? "1" };
    };
    while (!signal?.aborted) {
      const { looked, made } = await priceNext(ctx, { model, providerId, priceId: price.id, chargeOf });
      announceCorrections(ctx, made);
      priced += made.length;
      if (looked < CORRECTED_AT_ONCE) break;
    }
  }
  return priced;
}

interface Unpriced {
  model: string;
  providerId: string;
}

interface Pricing extends Unpriced {
  priceId: string;
  chargeOf(row: RequestRow): Charge;
}

async function priceNext(ctx: Ctx, { model, providerId, priceId, chargeOf }: Pricing) {
  const mark = [ctx.tenantId, model, providerId];
  const { looked, made } = await correctCosts(ctx.pool, {
    where: `r.cost_nano_usd IS NULL AND r.tenant_id = $1 AND r.model = $2 AND r.provider_id = $3 AND r.settled_seq > coalesce(
      (SELECT m.settled_seq FROM unpriced_marks m WHERE m.tenant_id = $1 AND m.model = $2 AND m.provider_id = $3), 0) ORDER BY r.settled_seq`,
    values: mark,
    limit: CORRECTED_AT_ONCE,
    // One that an administrator has repriced meanwhile keeps that price.
    chargeOf: ({ row }) => (row.costNanoUsd === null ? chargeOf(row) : null),
    cause: { id: `priced ${priceId}`, reason: "priced", actorId: "", atMs: ctx.clock.now() },
    async note(client, requests) {
      const last = requests.at(-1);
      if (!last) return;
      await client.query(
        `INSERT INTO unpriced_marks AS m (tenant_id, model, provider_id, settled_seq) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant_id, model, provider_id) DO UPDATE SET settled_seq = greatest(m.settled_seq, EXCLUDED.settled_seq)`,
        [...mark, last.settledSeq],
      );
    },
  });
  return { looked: looked.length, made };
}

/** Models and providers with unpriced requests, each found by one index step. */
export async function findUnpriced({ pool, tenantId }: Pick<Ctx, "pool" | "tenantId">): Promise<Unpriced[]> {
  const { rows } = await pool.query<Unpriced>(
    `WITH RECURSIVE pairs AS (
       (SELECT model, provider_id FROM requests WHERE cost_nano_usd IS NULL AND corrects_id IS NULL ORDER BY model, provider_id LIMIT 1)
       UNION ALL
       SELECT next.model, next.provider_id FROM pairs CROSS JOIN LATERAL (
         SELECT model, provider_id FROM requests WHERE cost_nano_usd IS NULL AND corrects_id IS NULL
           AND (model, provider_id) > (pairs.model, pairs.provider_id) ORDER BY model, provider_id LIMIT 1) AS next)
     SELECT model, provider_id AS "providerId" FROM pairs p WHERE EXISTS (
       SELECT FROM requests r WHERE r.cost_nano_usd IS NULL AND r.corrects_id IS NULL AND r.model = p.model AND r.provider_id = p.provider_id
         AND r.settled_seq > coalesce((SELECT m.settled_seq FROM unpriced_marks m
           WHERE m.tenant_id = $1 AND m.model = p.model AND m.provider_id = p.provider_id), 0))`,
    [tenantId],
  );
  return rows;
}

/** Requests counted per model and provider. */
const COUNTED = 1_000;
/** Models and providers counted. */
const PAIRS_COUNTED = 50;

/** Requests of a model that lack a price. */
export interface UnpricedModel {
  model: string;
  requests: number;
  /** True if there are more than were counted. */
  more: boolean;
}

/** Counts the unpriced requests by index, up to the limits above. */
export async function countUnpriced(ctx: Ctx): Promise<UnpricedModel[]> {
  requireAccess(ctx.actor, "admin");
  const pairs = (await findUnpriced(ctx)).slice(0, PAIRS_COUNTED);
  const { rows } = await ctx.pool.query<{ model: string; requests: number; more: boolean }>(
    `SELECT p.model, sum(least(c.n, ${COUNTED}))::int AS requests, bool_or(c.n > ${COUNTED}) AS more
     FROM unnest($2::text[], $3::text[]) AS p(model, provider_id) CROSS JOIN LATERAL (SELECT count(*) AS n FROM (
       SELECT FROM requests r WHERE r.cost_nano_usd IS NULL AND r.corrects_id IS NULL AND r.model = p.model AND r.provider_id = p.provider_id
         AND r.settled_seq > coalesce((SELECT m.settled_seq FROM unpriced_marks m
           WHERE m.tenant_id = $1 AND m.model = p.model AND m.provider_id = p.provider_id), 0) LIMIT ${COUNTED + 1}) AS counted) AS c
     GROUP BY p.model ORDER BY 2 DESC, 1`,
    [ctx.tenantId, pairs.map(({ model }) => model), pairs.map(({ providerId }) => providerId)],
  );
  return rows;
}

/** Includes deleted providers: their requests still need a price. */
async function readProviders({ pool, tenantId }: Ctx): Promise<Map<string, { modelRedirects: ModelRedirects; costMultiplier: string }>> {
  const { rows } = await pool.query<{ id: string; redirects: ModelRedirects; multiplier: string }>(
    "SELECT id, model_redirects AS redirects, cost_multiplier AS multiplier FROM providers WHERE tenant_id = $1",
    [tenantId],
  );
  return new Map(rows.map(({ id, redirects, multiplier }) => [id, { modelRedirects: redirects, costMultiplier: multiplier }]));
}

/** Updates viewers: rows show the new cost, and sums move by the difference. */
export function announceCorrections({ live }: Pick<Ctx, "live">, made: readonly Correction[]): void {
  for (const { row, correction, count } of made) live.bus.publish(correctedEvent(row, correction, count));
}

function correctedEvent(row: RequestRow, correction: RequestRow, count: number): LiveEvent {
  return { type: "request.corrected", rev: FINAL_REV + count, row, correction };
}
