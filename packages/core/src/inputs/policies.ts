import { z } from "zod";
import { isAddressRange } from "../routing/address-ranges.ts";

const patternField = z.string().min(1).max(200);

/** Matched case-insensitively against the client's User-Agent; a star matches any text. */
const clientsField = z.array(patternField).max(100);

/** What a key, or all keys of a user, may be used for; an absent or empty list = anything. */
export const policiesField = z.strictObject({
  /** Patterns (routing/model-patterns) of the models that clients may request. */
  models: z.array(patternField).max(200).optional(),
  allowedClients: clientsField.optional(),
  /** Takes precedence over the allowed ones. */
  blockedClients: clientsField.optional(),
  /** Addresses and CIDR ranges that requests may come from. */
  addresses: z
    .array(z.string().max(50).refine(isAddressRange, "must be an address or a range such as 10.0.0.0/8 or 2001:db8::/32"))
    .max(200)
    .optional(),
  /** Expires this many days after the first request that was not refused. */
  validDays: z.int().min(1).max(3_650).optional(),
});
export type Policies = z.infer<typeof policiesField>;
