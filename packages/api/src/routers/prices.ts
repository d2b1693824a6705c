import { PriceInput } from "@sluice/core/inputs/price";
import { listPrices } from "@sluice/services/prices/list-prices";
import { setPrice } from "@sluice/services/prices/set-price";
import { input, procedure, router } from "../trpc.ts";

export const pricesRouter = router({
  list: procedure.meta({ access: "admin" }).query(({ ctx }) => listPrices(ctx)),
  set: procedure
    .meta({ access: "admin" })
    .input(input(PriceInput))
    .mutation(({ ctx, input }) => setPrice(ctx, input)),
});
