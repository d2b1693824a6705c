import { z } from "zod/mini";

const text = z.catch(z.optional(z.string()), undefined);

/**
 * What the credit log's address says, to administrators: whose (absent = everybody), and the request that is to be given back
 * to them, with the amount in USD.
 */
export const CreditSearch = z.object({ user: text, refund: text, amount: text });
export type CreditSearch = z.infer<typeof CreditSearch>;
