import { z } from "zod";
import { newLimitFields } from "./limits.ts";
import { decimalField, groupField } from "./provider.ts";

/** The settings of a group, all replaced at once. A group without any needs no entry. */
export const SetGroupInput = z.strictObject({
  name: groupField,
  costMultiplier: decimalField.default("1"),
  ...newLimitFields,
  /** Restarts the total cost at 0. */
  resetCost: z.literal(true).optional(),
});
export type SetGroupInput = z.infer<typeof SetGroupInput>;

export const GroupNameInput = z.strictObject({ name: groupField });
