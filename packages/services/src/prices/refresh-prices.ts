import { shippedPrices, shippedPricesDate } from "@sluice/core/pricing/shipped-prices";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { withTransaction } from "../transaction.ts";
import { fetchPriceTable } from "./fetch-price-table.ts";
import { isOwn, lockPrices, placePrices, planPrices } from "./place-prices.ts";
import { getPriceSource, notePriceRefresh } from "./price-source.ts";
import type { PriceAmounts, PriceRefresh, PriceView } from "./price-view.ts";

/**
 * Updates prices from the source in the setting `pricing.sourceUrl`, or from the shipped table if it is empty. Prices set by a person or
 * the configuration file stay. If the source fails, nothing changes.
 */
export async function refreshPrices(ctx: Ctx): Promise<PriceRefresh> {
  requireAccess(ctx.actor, "admin");
  const url = ctx.snapshot.current().settings["pricing.sourceUrl"];
  const fetched = url === "" ? shipped() : await fetchPriceTable(ctx, url);
  if ("reason" in fetched) {
    await notePriceRefresh(ctx, { failure: fetched });
    return { ok: false, created: 0, changed: 0, source: await getPriceSource(ctx) };
  }
  const source = url === "" ? fetched.version : `source ${new URL(url).host}`;
  const counts = await withTransaction(ctx, async (ctx) => {
    await lockPrices(ctx);
    // The shipped table is older than anything imported since.
    const mayReplace = (before: PriceView) => (url === "" ? before.source.startsWith("shipped ") : !isOwn(before));
    const plan = await planPrices(ctx, fetched.table.prices, mayReplace);
    const done = { created: plan.created.length, changed: plan.changed.length };
    await placePrices(ctx, plan, { action: "price.refresh", source });
    if (done.created + done.changed === 0)
      await audit(ctx, { action: "price.refresh", targetKind: "price", targetId: source, after: done });
    await notePriceRefresh(ctx, { refreshed: { atMs: ctx.clock.now(), version: fetched.version, ...done } });
    return done;
  });
  return { ok: true, ...counts, source: await getPriceSource(ctx) };
}

function shipped(): { table: { prices: PriceAmounts[] }; version: string } {
  return {
    table: { prices: shippedPrices.map((price) => ({ ...price, maxOutputTokens: null })) },
    version: `shipped ${shippedPricesDate}`,
  };
}
