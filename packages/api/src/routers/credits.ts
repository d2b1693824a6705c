import { AdjustInput, GetAccountInput, ListEntriesInput, RefundInput, TopUpInput, UpdateAccountInput } from "@sluice/core/inputs/credit";
import { adjustCredit, refundCredit, topUp } from "@sluice/services/credits/add-entry";
import { getAccount } from "@sluice/services/credits/get-account";
import { listEntries } from "@sluice/services/credits/list-entries";
import { updateAccount } from "@sluice/services/credits/update-account";
import { input, procedure, router } from "../trpc.ts";

export const creditsRouter = router({
  account: procedure
    .meta({ access: "user" })
    .input(input(GetAccountInput.optional()))
    .query(({ ctx, input }) => getAccount(ctx, input)),
  entries: procedure
    .meta({ access: "user" })
    .input(input(ListEntriesInput.optional()))
    .query(({ ctx, input }) => listEntries(ctx, input)),
  topUp: procedure
    .meta({ access: "admin" })
    .input(input(TopUpInput))
    .mutation(({ ctx, input }) => topUp(ctx, input)),
  adjust: procedure
    .meta({ access: "admin" })
    .input(input(AdjustInput))
    .mutation(({ ctx, input }) => adjustCredit(ctx, input)),
  refund: procedure
    .meta({ access: "admin" })
    .input(input(RefundInput))
    .mutation(({ ctx, input }) => refundCredit(ctx, input)),
  updateAccount: procedure
    .meta({ access: "admin" })
    .input(input(UpdateAccountInput))
    .mutation(({ ctx, input }) => updateAccount(ctx, input)),
});
