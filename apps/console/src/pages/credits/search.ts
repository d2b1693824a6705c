import { type SearchOf, searchOf, text, uuid } from "../../search-fields.ts";

/**
 * What the credit log's address says, to administrators: whose (absent = everybody), and the request that is to be given back
 * to them, with the amount in USD.
 */
export const CreditSearch = searchOf({ user: uuid, refund: uuid, amount: text });
export type CreditSearch = SearchOf<typeof CreditSearch>;
