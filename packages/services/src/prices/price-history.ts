import { PriceHistoryInput } from "@sluice/core/inputs/price";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import type { PriceView } from "./price-view.ts";
import { toPriceView } from "./to-price-view.ts";

/** Versions returned; older ones still price the rows that refer to them. */
const MOST_VERSIONS = 100;

/** Versions of a model's price, the one in force first. */
export async function priceHistory(ctx: Ctx, input: z.input<typeof PriceHistoryInput>): Promise<PriceView[]> {
  requireAccess(ctx.actor, "admin");
  const { model } = parse(PriceHistoryInput, input);
  const rows = await ctx.prisma.price.findMany({ where: { tenantId: ctx.tenantId, model }, orderBy: { id: "desc" }, take: MOST_VERSIONS });
  return rows.map(toPriceView);
}
