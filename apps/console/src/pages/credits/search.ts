import { z } from "zod/mini";

/** What the credit log's address says: whose (administrators only; absent = everybody). */
export const CreditSearch = z.object({ user: z.catch(z.optional(z.string()), undefined) });
export type CreditSearch = z.infer<typeof CreditSearch>;
