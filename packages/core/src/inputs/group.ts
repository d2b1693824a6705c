import { z } from "zod";
import { newLimitFields } from "./limits.ts";
import { decimalField, groupField } from "./provider.ts";

/** What is said of a group: sets all of it. A group without anything needs no entry. */
export const SetGroupInput = z.strictObject({
  name: groupField,
  costMultiplier: decimalField.default("1"),
  ...newLimitFields,
  /** The total counts from now on. */
  resetCost: z.literal(true).optional(),
});
export type SetGroupInput = z.infer<typeof SetGroupInput>;

export const GroupNameInput = z.strictObject({ name: groupField });
