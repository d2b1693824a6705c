import { type SearchOf, searchOf, text, uuid } from "../../search-fields.ts";

/**
 * The state of the credit log for administrators, as its address carries it: the user (absent = all), and a request to refund to them
 * with the amount in USD.
 */
export const CreditSearch = searchOf({ user: uuid, refund: uuid, amount: text });
export type CreditSearch = SearchOf<typeof CreditSearch>;
