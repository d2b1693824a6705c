import { newId } from "@sluice/core/ids";
import { shippedPrices, shippedPricesDate } from "@sluice/core/pricing/shipped-prices";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { bumpConfigVersion, emit, withTransaction } from "../transaction.ts";
import { sameAmounts } from "./same-amounts.ts";
import { toPriceView } from "./to-price-view.ts";

/**
 * Called at boot: puts the shipped table in force for models without a price and for those whose price came from an
 * older shipped table. Prices somebody set stay. Doing it again changes nothing. Returns how many were set.
 */
export async function shipPrices(ctx: Ctx): Promise<number> {
  requireAccess(ctx.actor, "admin");
  const { tenantId } = ctx;
  return withTransaction(ctx, async (ctx) => {
    const { tx } = ctx.transaction;
    // Two instances that start together must not write the table twice.
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('sluice.shipped-prices'))`;
    const stored = await tx.price.findMany({ where: { tenantId }, distinct: ["model"], orderBy: [{ model: "asc" }, { id: "desc" }] });
    const current = new Map(stored.map((row) => [row.model, toPriceView(row)]));
    const data = shippedPrices.flatMap(
      ({ model, inputPerMTok, outputPerMTok, cacheWrite5mPerMTok, cacheWrite1hPerMTok, cacheReadPerMTok }) => {
        const price = { inputPerMTok, outputPerMTok, cacheWrite5mPerMTok, cacheWrite1hPerMTok, cacheReadPerMTok };
        const before = current.get(model);
        if (before && (!before.source.startsWith("shipped") || sameAmounts(before, price))) return [];
        return [{ ...price, model, id: newId(), tenantId, source: `shipped ${shippedPricesDate}` }];
      },
    );
    if (data.length === 0) return 0;
    await tx.price.createMany({ data });
    await audit(ctx, {
      action: "price.ship",
      targetKind: "price",
      targetId: shippedPricesDate,
      after: { models: data.map(({ model }) => model) },
    });
    await bumpConfigVersion(ctx);
    emit(ctx, { type: "price.changed", id: "" });
    return data.length;
  });
}
