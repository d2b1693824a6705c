import { SluiceError } from "@sluice/core/errors";
import type { Repricing } from "@sluice/core/events";
import { firstIdAt, newId, timeOfId } from "@sluice/core/ids";
import { RepriceInput } from "@sluice/core/inputs/price";
import { type BilledRequest, type Charge, type CorrectionStep, correctCosts, previewCosts } from "@sluice/ledger/correct-costs";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { withTransaction } from "../transaction.ts";
import { announceCorrections, CORRECTED_AT_ONCE } from "./price-unpriced.ts";
import { toPriceView } from "./to-price-view.ts";

/** What a range of requests would cost by another version of the price. Money is nano-USD as decimal text. */
export interface RepricePreview {
  priceId: string;
  requests: number;
  /** Requests whose cost would change. */
  changed: number;
  nowNanoUsd: string;
  thenNanoUsd: string;
  /** False if there are more requests than were examined; the figures then cover only the first ones. */
  complete: boolean;
}

interface Order {
  id: string;
  model: string;
  priceId: string;
  fromId: string;
  toId: string;
  cursorId: string | null;
  actorId: string;
}

const PREVIEWED_AT_ONCE = 1_000;
const MOST_PREVIEWED = 10_000;

/** Computes what {@link reprice} would change, request by request, for a bounded number of them. */
export async function previewReprice(ctx: Ctx, input: z.input<typeof RepriceInput>): Promise<RepricePreview> {
  requireAccess(ctx.actor, "admin");
  const { order, price } = await toOrder(ctx, parse(RepriceInput, input));
  let [requests, changed, now, difference] = [0, 0, 0n, 0n];
  for (let cursorId: string | null = null; requests < MOST_PREVIEWED; ) {
    const step: ReturnType<typeof stepOf> = stepOf(ctx, { ...order, cursorId }, price, PREVIEWED_AT_ONCE);
    const { looked, made } = await previewCosts(ctx.pool, step);
    requests += looked.length;
    changed += made.length;
    for (const { row } of looked) now += BigInt(row.costNanoUsd ?? "0");
    for (const { correction } of made) difference += BigInt(correction.costNanoUsd ?? "0");
    cursorId = looked.at(-1)?.row.id ?? null;
    if (looked.length < PREVIEWED_AT_ONCE) {
      return { priceId: price.id, requests, changed, nowNanoUsd: `${now}`, thenNanoUsd: `${now + difference}`, complete: true };
    }
  }
  return { priceId: price.id, requests, changed, nowNanoUsd: `${now}`, thenNanoUsd: `${now + difference}`, complete: false };
}

/** Orders that the requests of a model in a range be priced again, by the price in force or by a given version. The worker does it. */
export async function reprice(ctx: Ctx, input: z.input<typeof RepriceInput>): Promise<Repricing> {
  requireAccess(ctx.actor, "admin");
  const wanted = parse(RepriceInput, input);
  return withTransaction(ctx, async (ctx) => {
    const { order } = await toOrder(ctx, wanted);
    const made = await ctx.transaction.tx.repricing.create({ data: { ...order, tenantId: ctx.tenantId } });
    await audit(ctx, {
      action: "price.reprice",
      targetKind: "price",
      targetId: order.priceId,
      after: { ...wanted, priceId: order.priceId },
    });
    const repricing = toRepricing(made);
    ctx.transaction.events.push({ type: "repricing.changed", repricing });
    return repricing;
  });
}

/** The most recent orders, newest first. */
export async function listRepricings(ctx: Ctx): Promise<Repricing[]> {
  requireAccess(ctx.actor, "admin");
  const rows = await ctx.prisma.repricing.findMany({ where: { tenantId: ctx.tenantId }, orderBy: { id: "desc" }, take: 20 });
  return rows.map(toRepricing);
}

/** Executes the orders batch by batch, until they are done or `signal` aborts. Any instance continues where the last one stopped. */
export async function runRepricings(ctx: Ctx, signal?: AbortSignal): Promise<number> {
  const orders = await ctx.prisma.repricing.findMany({ where: { tenantId: ctx.tenantId, finishedAt: null }, orderBy: { id: "asc" } });
  let corrected = 0;
  for (const order of orders) {
    const price = await readPrice(ctx, order.priceId);
    const waitedFor = await firstUnsettled(ctx, order);
    while (!signal?.aborted) {
      const current = await ctx.prisma.repricing.findUniqueOrThrow({ where: { id: order.id } });
      ctx.live.bus.publish({ type: "repricing.changed", repricing: toRepricing(current) });
      if (current.finishedAt) break;
      const step = stepOf(ctx, { ...current, toId: waitedFor ?? current.toId }, price, CORRECTED_AT_ONCE);
      const { looked, made } = await correctCosts(ctx.pool, { ...step, note: noteOf(order.id, waitedFor === null) });
      announceCorrections(ctx, made);
      corrected += made.length;
      if (waitedFor !== null && looked.length < CORRECTED_AT_ONCE) break;
    }
  }
  return corrected;
}

/**
 * The first request in the registry from before the order: the walk is by id and must not pass a stream that has no row yet, since it
 * never comes back. Lost ones are ignored: their instance may never return.
 */
async function firstUnsettled({ live }: Ctx, { id, model, fromId, toId, cursorId }: Order): Promise<string | null> {
  const known = await live.registry.list({ after: cursorId ?? fromId, before: toId < id ? toId : id });
  return known.findLast((row) => row.model === model && row.state !== "lost")?.id ?? null;
}

/** `isWhole`: no request of the order is still unsettled. */
function noteOf(id: string, isWhole: boolean): CorrectionStep["note"] {
  return async (client, looked, made) => {
    const difference = made.reduce((sum, { correction }) => sum + BigInt(correction.costNanoUsd ?? "0"), 0n);
    const last = looked.at(-1)?.row.id ?? null;
    // Two instances that run the same order examine the same requests: only what this one wrote counts, and the cursor never moves back.
    await client.query(
      `UPDATE repricings SET cursor_id = greatest(cursor_id, $2::uuid), requests = requests + $3, corrected = corrected + $4,
         cost_nano_usd = cost_nano_usd + $5, finished_at = CASE WHEN $6 THEN now() END WHERE id = $1 AND finished_at IS NULL`,
      [id, last, looked.length, made.length, difference.toString(), isWhole && looked.length < CORRECTED_AT_ONCE],
    );
  };
}

function stepOf(ctx: Ctx, order: Omit<Order, "actorId"> & { actorId: string }, price: Charge["price"], limit: number) {
  // The cursor is read again in the transaction: another instance may have advanced it.
  const from = `greatest($3::uuid, coalesce((SELECT o.cursor_id FROM repricings o WHERE o.id = $5), $3::uuid), $6::uuid)`;
  return {
    where: `r.tenant_id = $1 AND r.model = $2 AND r.id > ${from} AND r.id < $4::uuid ORDER BY r.id`,
    values: [ctx.tenantId, order.model, order.fromId, order.toId, order.id, order.cursorId ?? order.fromId],
    limit,
    chargeOf: ({ row, providerMultiplier, groupMultiplier }: BilledRequest): Charge | null => {
      if (row.costNanoUsd === "0" && row.usage.input + row.usage.output === 0) return null;
      const { providers, groups } = ctx.snapshot.current();
      const provider = providers.find(({ id }) => id === row.providerId);
      return {
        price,
        providerMultiplier: providerMultiplier ?? provider?.costMultiplier ?? "1",
        groupMultiplier: groupMultiplier ?? groups.get(row.group)?.costMultiplier ?? "1",
      };
    },
    cause: { id: order.id, reason: "repriced" as const, actorId: order.actorId, atMs: ctx.clock.now() },
  };
}

async function toOrder(ctx: Ctx, wanted: z.output<typeof RepriceInput>): Promise<{ order: Order; price: Charge["price"] }> {
  const { tenantId } = ctx;
  const where = wanted.priceId === undefined ? { tenantId, model: wanted.model } : { tenantId, id: wanted.priceId };
  const found = await ctx.prisma.price.findFirst({ where, orderBy: { id: "desc" } });
  if (!found) throw new SluiceError("not_found", { field: wanted.priceId === undefined ? "model" : "priceId" });
  const actorId = ctx.actor.kind === "user" ? ctx.actor.userId : "";
  const range = { fromId: firstIdAt(wanted.fromMs), toId: firstIdAt(wanted.toMs) };
  return { order: { id: newId(), model: wanted.model, priceId: found.id, ...range, cursorId: null, actorId }, price: toPriceView(found) };
}

async function readPrice(ctx: Ctx, id: string): Promise<Charge["price"]> {
  return toPriceView(await ctx.prisma.price.findUniqueOrThrow({ where: { id } }));
}

type StoredRepricing = Awaited<ReturnType<Ctx["prisma"]["repricing"]["findUniqueOrThrow"]>>;

function toRepricing(row: StoredRepricing): Repricing {
  const [fromMs, toMs] = [timeOfId(row.fromId), timeOfId(row.toId)];
  return {
    ...{ fromMs, toMs, reachedMs: row.finishedAt ? toMs : row.cursorId ? timeOfId(row.cursorId) : fromMs, actorId: row.actorId },
    ...{ id: row.id, model: row.model, priceId: row.priceId },
    ...{ requests: Number(row.requests), corrected: Number(row.corrected), costNanoUsd: row.costNanoUsd.toString() },
    ...{ createdAtMs: row.createdAt.getTime(), finishedAtMs: row.finishedAt?.getTime() ?? null },
  };
}
