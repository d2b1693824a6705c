import { newId } from "@sluice/core/ids";
import { billSame } from "@sluice/core/pricing/price-usage";
import { audit } from "../audit.ts";
import { bumpConfigVersion, emit, type TxCtx } from "../transaction.ts";
import type { PriceAmounts, PriceImport, PriceView } from "./price-view.ts";
import { toPriceView } from "./to-price-view.ts";

export type PricePlan = Pick<PriceImport, "changed" | "created" | "unchanged" | "kept">;

/** Whether a person or the configuration file set this price, rather than a table. */
export function isOwn({ source }: PriceView): boolean {
  return source === "console" || source === "config" || source === "cli";
}

/**
 * Compares a table with the prices in force. Amounts that bill the same count as unchanged, even if one side leaves a cache price to be
 * derived.
 */
export async function planPrices(
  ctx: TxCtx,
  table: readonly PriceAmounts[],
  mayReplace: (before: PriceView) => boolean,
): Promise<PricePlan> {
  const rows = await ctx.transaction.tx.price.findMany({
    where: { tenantId: ctx.tenantId },
    distinct: ["model"],
    orderBy: [{ model: "asc" }, { id: "desc" }],
  });
  const current = new Map(rows.map((row) => [row.model, toPriceView(row)]));
  const plan: PricePlan = { changed: [], created: [], unchanged: 0, kept: [] };
  for (const after of [...table].sort((a, b) => (a.model < b.model ? -1 : 1))) {
    const before = current.get(after.model);
    if (!before) plan.created.push(after);
    else if (billSame(before, after) && (after.maxOutputTokens ?? before.maxOutputTokens) === before.maxOutputTokens) plan.unchanged += 1;
    else if (!mayReplace(before)) plan.kept.push({ before, after });
    else plan.changed.push({ before, after: { ...after, maxOutputTokens: after.maxOutputTokens ?? before.maxOutputTokens } });
  }
  return plan;
}

/** Puts the new and changed prices of a plan in force together, with one audit entry. */
export async function placePrices(ctx: TxCtx, plan: PricePlan, { action, source }: { action: string; source: string }): Promise<void> {
  const amounts = [...plan.changed.map(({ after }) => after), ...plan.created];
  if (amounts.length === 0) return;
  const rows = amounts.map((price) => ({ ...price, id: newId(), tenantId: ctx.tenantId, source }));
  await ctx.transaction.tx.price.createMany({ data: rows });
  const byModel = (list: readonly PriceAmounts[]) => Object.fromEntries(list.map(({ model, ...amount }) => [model, amount]));
  const befores = plan.changed.map(({ before: { id: _, source: __, createdAtMs: ___, ...amount } }) => amount);
  await audit(ctx, {
    action,
    targetKind: "price",
    targetId: source,
    before: byModel(befores),
    after: byModel(amounts),
  });
  bumpConfigVersion(ctx);
  emit(ctx, { type: "price.changed", id: rows.at(-1)?.id ?? "" });
}

/** One price or table at a time: two changes that read the same prices in force would both write. */
export async function lockPrices(ctx: TxCtx): Promise<void> {
  await ctx.transaction.tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('sluice.prices', 0))`;
}
