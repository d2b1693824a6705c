import { AdjustInput, GetAccountInput, ListEntriesInput, RefundInput, TopUpInput, UpdateAccountInput } from "@sluice/core/inputs/credit";
import { adjustCredit, refundCredit, topUp } from "@sluice/services/credits/add-entry";
import { getAccount } from "@sluice/services/credits/get-account";
import { listEntries } from "@sluice/services/credits/list-entries";
import { updateAccount } from "@sluice/services/credits/update-account";
import { account, creditEntry, creditEntryPage } from "../answers/users.ts";
import { type Operation, operation } from "../operation.ts";

const tag = "Credits";

export const creditOperations: readonly Operation[] = [
  operation({
    ...{ id: "getAccount", at: "GET /credits/account", access: "user", tag },
    summary: "Get an account: your own, or that of `userId`",
    ...{ input: GetAccountInput, answer: account, verb: getAccount },
  }),
  operation({
    ...{ id: "listCreditEntries", at: "GET /credits/entries", access: "user", tag },
    summary: "List the credit log, newest first",
    ...{ input: ListEntriesInput, answer: creditEntryPage, verb: listEntries },
  }),
  operation({
    ...{ id: "topUpCredit", at: "POST /credits/top-ups", access: "admin", tag },
    summary: "Top up credit",
    ...{ input: TopUpInput, answer: creditEntry, verb: topUp },
  }),
  operation({
    ...{ id: "adjustCredit", at: "POST /credits/adjustments", access: "admin", tag },
    summary: "Adjust a balance up or down",
    ...{ input: AdjustInput, answer: creditEntry, verb: adjustCredit },
  }),
  operation({
    ...{ id: "refundCredit", at: "POST /credits/refunds", access: "admin", tag },
    summary: "Refund a charge",
    ...{ input: RefundInput, answer: creditEntry, verb: refundCredit },
  }),
  operation({
    ...{ id: "updateAccount", at: "PATCH /credits/accounts/{userId}", access: "admin", tag },
    summary: "Change a user's billing mode and floor",
    ...{ input: UpdateAccountInput, answer: account, verb: updateAccount },
  }),
];
