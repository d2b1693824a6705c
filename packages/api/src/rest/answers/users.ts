import { z } from "zod";
import { atMs, count, cursorPageOf, idField, nanoUsd, numberedPageOf } from "./fields.ts";
import { limitFields, policies, totals } from "./owners.ts";

const userFields = {
  id: idField,
  name: z.string(),
  role: z.enum(["admin", "user"]),
  ...limitFields,
  enabled: z.boolean(),
  hasPassword: z.boolean(),
  expiresAtMs: atMs.nullable(),
  policies: policies.nullable(),
  createdAtMs: atMs,
};

const billing = z.enum(["postpaid", "prepaid", "both"]);

export const userView = z.object({ ...userFields, email: z.string() }).meta({ id: "User" });
const userItem = z
  .object({
    ...userFields,
    email: z.string().optional(),
    totals: totals.optional(),
    keys: count.optional(),
    credit: z.object({ billing, balanceNanoUsd: nanoUsd, availableNanoUsd: nanoUsd }).optional(),
  })
  .meta({ id: "UserItem", description: "A user with the data requested by `fields`." });

export const userPage = cursorPageOf(userItem);
export const numberedUserPage = numberedPageOf(userItem);

export const account = z
  .object({
    userId: idField,
    billing,
    balanceNanoUsd: nanoUsd,
    heldNanoUsd: nanoUsd,
    floorNanoUsd: nanoUsd,
    availableNanoUsd: nanoUsd,
    postpaidNanoUsd: nanoUsd,
  })
  .meta({ id: "Account" });

export const creditEntry = z
  .object({
    id: idField,
    atMs,
    userId: idField,
    kind: z.enum(["top_up", "adjustment", "refund", "hold", "settle", "release"]),
    amountNanoUsd: nanoUsd,
    heldNanoUsd: nanoUsd,
    balanceNanoUsd: nanoUsd,
    referenceKind: z.string(),
    referenceId: z.string(),
    actorId: z.string(),
    reason: z.string(),
  })
  .meta({ id: "CreditEntry" });
export const creditEntryPage = cursorPageOf(creditEntry);
