import { cached } from "@sluice/cache/cached";
import { cacheScope, requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import type { PriceView } from "./price-view.ts";
import { toPriceView } from "./to-price-view.ts";

/** The price in force of every model (the newest row of each), ordered by model. */
export async function listPrices(ctx: Ctx): Promise<PriceView[]> {
  requireAccess(ctx.actor, "admin");
  const { value } = await cached(ctx, "modelList:prices", { scope: cacheScope(ctx), input: null }, async () => {
    const rows = await ctx.prisma.price.findMany({
      where: { tenantId: ctx.tenantId },
      distinct: ["model"],
      orderBy: [{ model: "asc" }, { id: "desc" }],
    });
    return rows.map(toPriceView);
  });
  return value;
}
