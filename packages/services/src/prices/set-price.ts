import { newId } from "@sluice/core/ids";
import { PriceInput } from "@sluice/core/inputs/price";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { bumpConfigVersion, emit, withTransaction } from "../transaction.ts";
import { lockPrices } from "./place-prices.ts";
import type { PriceView } from "./price-view.ts";
import { sameAmounts } from "./same-amounts.ts";
import { toPriceView } from "./to-price-view.ts";

/**
 * Puts a new version of a price in force from now on; rows already billed keep their cost. Setting the current price again changes
 * nothing.
 */
export async function setPrice(ctx: Ctx, input: z.input<typeof PriceInput>): Promise<PriceView> {
  requireAccess(ctx.actor, "admin");
  const wanted = parse(PriceInput, input);
  return withTransaction(ctx, async (ctx) => {
    const { tx } = ctx.transaction;
    const { tenantId } = ctx;
    // A concurrent import must see that somebody has set this price.
    await lockPrices(ctx);
    const current = await tx.price.findFirst({ where: { tenantId, model: wanted.model }, orderBy: { id: "desc" } });
    const before = current && toPriceView(current);
    if (before && sameAmounts(before, wanted)) return before;
    const source = ctx.actor.kind === "system" ? ctx.actor.name : "console";
    const price = toPriceView(await tx.price.create({ data: { ...wanted, id: newId(), tenantId, source } }));
    await audit(ctx, { action: "price.set", targetKind: "price", targetId: price.id, before: before ?? undefined, after: price });
    bumpConfigVersion(ctx);
    emit(ctx, { type: "price.changed", id: price.id });
    return price;
  });
}
