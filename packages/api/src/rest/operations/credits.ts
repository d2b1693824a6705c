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
    summary: "An account, one's own unless `userId` says otherwise",
    ...{ input: GetAccountInput, answer: account, verb: getAccount },
  }),
  operation({
    ...{ id: "listCreditEntries", at: "GET /credits/entries", access: "user", tag },
    summary: "The credit log, newest first",
    ...{ input: ListEntriesInput, answer: creditEntryPage, verb: listEntries },
  }),
  operation({
    ...{ id: "topUpCredit", at: "POST /credits/top-ups", access: "admin", tag },
    summary: "Puts credit in",
    ...{ input: TopUpInput, answer: creditEntry, verb: topUp },
  }),
  operation({
    ...{ id: "adjustCredit", at: "POST /credits/adjustments", access: "admin", tag },
    summary: "Corrects a balance, up or down",
    ...{ input: AdjustInput, answer: creditEntry, verb: adjustCredit },
  }),
  operation({
    ...{ id: "refundCredit", at: "POST /credits/refunds", access: "admin", tag },
    summary: "Gives back what was charged",
    ...{ input: RefundInput, answer: creditEntry, verb: refundCredit },
  }),
  operation({
    ...{ id: "updateAccount", at: "PATCH /credits/accounts/{userId}", access: "admin", tag },
    summary: "Changes how somebody pays, and their floor",
    ...{ input: UpdateAccountInput, answer: account, verb: updateAccount },
  }),
];
