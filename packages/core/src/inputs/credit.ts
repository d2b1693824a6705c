import { z } from "zod";
import { parseUsd } from "../money.ts";
import { PageInput } from "./page.ts";
import { uuidField } from "./uuid.ts";

export const billingModes = ["postpaid", "prepaid", "both"] as const;
export type Billing = (typeof billingModes)[number];
/** `postpaid`: limits only. `prepaid`: bounded by credit. `both`: credit and limits. */
export const billingField = z.enum(billingModes);

export const entryKinds = ["top_up", "adjustment", "refund", "hold", "settle", "release"] as const;
export type EntryKind = (typeof entryKinds)[number];

/** A decimal USD amount with nano-USD precision; parsed to nano-USD. */
const usdField = z
  .string()
  .trim()
  .max(20)
  .transform((text, check) => {
    try {
      return parseUsd(text);
    } catch {
      check.issues.push({ code: "custom", message: "must be an amount of USD with at most 9 decimal places", input: text });
      return z.NEVER;
    }
  });
const amountField = usdField.refine((nano) => nano > 0n, "must be more than 0");

const entry = {
  userId: uuidField,
  /** Why; shown to the user. */
  reason: z.string().trim().min(1).max(500),
  /** Chosen by the caller, one per intent: repeating a call with the same key changes nothing. */
  idempotencyKey: z.string().trim().min(1).max(200),
};

export const TopUpInput = z.strictObject({ ...entry, amountUsd: amountField });
/** An increase or a decrease. */
export const AdjustInput = z.strictObject({ ...entry, amountUsd: usdField.refine((nano) => nano !== 0n, "must not be 0") });
/** Refunds a request when `requestId` is set. */
export const RefundInput = z.strictObject({ ...entry, amountUsd: amountField, requestId: uuidField.optional() });

export const UpdateAccountInput = z.strictObject({
  userId: uuidField,
  billing: billingField.optional(),
  /** The balance may not be taken below this; a negative value grants credit. */
  floorUsd: usdField.optional(),
});

/** Absent = the caller's own account. */
export const GetAccountInput = z.strictObject({ userId: uuidField.optional() });

export const ListEntriesInput = z.strictObject({
  ...PageInput.shape,
  filter: z.strictObject({ userId: uuidField.optional(), kind: z.enum(entryKinds).optional() }).default({}),
});
