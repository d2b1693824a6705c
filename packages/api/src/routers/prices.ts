import { ImportPricesInput, PriceHistoryInput, PriceInput, RepriceInput } from "@sluice/core/inputs/price";
import { importPrices } from "@sluice/services/prices/import-prices";
import { listPrices } from "@sluice/services/prices/list-prices";
import { priceHistory } from "@sluice/services/prices/price-history";
import { getPriceSource } from "@sluice/services/prices/price-source";
import { countUnpriced } from "@sluice/services/prices/price-unpriced";
import { refreshPrices } from "@sluice/services/prices/refresh-prices";
import { listRepricings, previewReprice, reprice } from "@sluice/services/prices/reprice";
import { setPrice } from "@sluice/services/prices/set-price";
import { input, procedure, router } from "../trpc.ts";

export const pricesRouter = router({
  list: procedure.meta({ access: "admin" }).query(({ ctx }) => listPrices(ctx)),
  set: procedure
    .meta({ access: "admin" })
    .input(input(PriceInput))
    .mutation(({ ctx, input }) => setPrice(ctx, input)),
  history: procedure
    .meta({ access: "admin" })
    .input(input(PriceHistoryInput))
    .query(({ ctx, input }) => priceHistory(ctx, input)),
  previewReprice: procedure
    .meta({ access: "admin" })
    .input(input(RepriceInput))
    .query(({ ctx, input }) => previewReprice(ctx, input)),
  reprice: procedure
    .meta({ access: "admin" })
    .input(input(RepriceInput))
    .mutation(({ ctx, input }) => reprice(ctx, input)),
  repricings: procedure.meta({ access: "admin" }).query(({ ctx }) => listRepricings(ctx)),
  unpriced: procedure.meta({ access: "admin" }).query(({ ctx }) => countUnpriced(ctx)),
  source: procedure.meta({ access: "admin" }).query(({ ctx }) => getPriceSource(ctx)),
  refresh: procedure.meta({ access: "admin" }).mutation(({ ctx }) => refreshPrices(ctx)),
  import: procedure
    .meta({ access: "admin" })
    .input(input(ImportPricesInput))
    .mutation(({ ctx, input }) => importPrices(ctx, input)),
});
