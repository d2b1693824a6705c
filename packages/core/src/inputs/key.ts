import { z } from "zod";
import { groupField, nameField } from "./provider.ts";

/** null = no limit. */
export const limitField = z.int().min(1).max(1_000_000).nullable();

export const CreateKeyInput = z.strictObject({
  userId: z.uuid(),
  name: nameField,
  group: groupField.default("default"),
  rpm: limitField.default(null),
  inFlight: limitField.default(null),
  expiresAtMs: z.int().positive().nullable().default(null),
});
export type CreateKeyInput = z.infer<typeof CreateKeyInput>;

export const UpdateKeyInput = z.strictObject({
  id: z.uuid(),
  name: nameField.optional(),
  group: groupField.optional(),
  rpm: limitField.optional(),
  inFlight: limitField.optional(),
  expiresAtMs: z.int().positive().nullable().optional(),
  enabled: z.boolean().optional(),
});
export type UpdateKeyInput = z.infer<typeof UpdateKeyInput>;
