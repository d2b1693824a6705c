import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import type { TxCtx } from "../transaction.ts";
import type { PriceSource, PriceSourceFailure } from "./price-view.ts";

const names = { refreshed: "prices.refreshed", failure: "prices.failure" } as const;

/** Where prices are refreshed from, and the outcome of the last refresh. */
export async function getPriceSource(ctx: Ctx): Promise<PriceSource> {
  requireAccess(ctx.actor, "admin");
  const rows = await ctx.prisma.installation.findMany({ where: { name: { in: Object.values(names) } } });
  const values = new Map(rows.map(({ name, value }) => [name, value]));
  const refreshed = read<NonNullable<PriceSource["refreshed"]>>(values.get(names.refreshed));
  const failure = read<PriceSourceFailure>(values.get(names.failure));
  return {
    url: ctx.snapshot.current().settings["pricing.sourceUrl"],
    refreshed,
    failure: failure && failure.atMs > (refreshed?.atMs ?? 0) ? failure : null,
  };
}

/** Stores the outcome of a refresh. */
export async function notePriceRefresh(
  ctx: Pick<Ctx, "prisma"> | TxCtx,
  outcome: { refreshed: NonNullable<PriceSource["refreshed"]> } | { failure: PriceSourceFailure },
): Promise<void> {
  const db = "transaction" in ctx && ctx.transaction ? ctx.transaction.tx : (ctx as Pick<Ctx, "prisma">).prisma;
  const [name, value] =
    "refreshed" in outcome ? [names.refreshed, JSON.stringify(outcome.refreshed)] : [names.failure, JSON.stringify(outcome.failure)];
  await db.installation.upsert({ where: { name }, create: { name, value }, update: { value } });
}

function read<T>(text: string | undefined): T | null {
  return text === undefined ? null : (JSON.parse(text) as T);
}
