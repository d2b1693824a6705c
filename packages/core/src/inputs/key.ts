import { z } from "zod";
import { keyStatuses } from "../key-statuses.ts";
import { instantField } from "./instant.ts";
import { changedLimitFields, newLimitFields } from "./limits.ts";
import { policiesField } from "./policies.ts";
import { dialectField, groupField, modelField, nameField } from "./provider.ts";
import { NumberedPageInput, SortedPageInput } from "./sorted-page.ts";
import { uuidField } from "./uuid.ts";
import { isVisible } from "./visible.ts";

/** A label for finding keys and grouping their figures. */
export const tagField = z
  .string()
  .trim()
  .min(1)
  .max(40)
  .refine((tag) => isVisible(tag) && !tag.includes(","), "must not contain commas or control characters");

const tagsField = z
  .array(tagField)
  .max(10)
  .transform((tags) => [...new Set(tags)]);

/** Expiry; null = never. */
export const expiryField = instantField.min(1).nullable().meta({ description: "Milliseconds since 1970-01-01T00:00:00Z; null: never." });

export const CreateKeyInput = z.strictObject({
  userId: uuidField,
  name: nameField,
  group: groupField.default("default"),
  ...newLimitFields,
  expiresAtMs: expiryField.default(null),
  policies: policiesField.default({}),
  tags: tagsField.default([]),
});
export type CreateKeyInput = z.infer<typeof CreateKeyInput>;

export const UpdateKeyInput = z.strictObject({
  id: uuidField,
  name: nameField.optional(),
  group: groupField.optional(),
  ...changedLimitFields,
  expiresAtMs: expiryField.optional(),
  /** Replaces all of them. */
  policies: policiesField.optional(),
  /** Replaces all of them. */
  tags: tagsField.optional(),
  enabled: z.boolean().optional(),
  /** Ends the overlap of the last rotation now. */
  endPrevious: z.literal(true).optional(),
});
export type UpdateKeyInput = z.infer<typeof UpdateKeyInput>;

const LONGEST_OVERLAP_S = 90 * 86_400;

export const RotateKeyInput = z.strictObject({
  id: uuidField,
  /** How long the old secret keeps working beside the new one; 0 = it stops at once. */
  overlapSeconds: z.int().min(0).max(LONGEST_OVERLAP_S).default(0),
});
export type RotateKeyInput = z.infer<typeof RotateKeyInput>;

export const searchField = z.string().trim().max(120);

const KeyFilter = {
  userId: uuidField.optional(),
  /** Absent = any. */
  status: z.array(z.enum(keyStatuses)).min(1).max(4).optional(),
  /** Prefix of the key's name, or of its owner's name or e-mail. */
  search: searchField.optional(),
  /** Extra parts of the answer; `owner` only for administrators. */
  fields: z
    .array(z.enum(["owner", "totals"]))
    .max(2)
    .default([]),
};

export const ListKeysInput = SortedPageInput.extend(KeyFilter);
export type ListKeysInput = z.infer<typeof ListKeysInput>;

export const PageKeysInput = NumberedPageInput.extend(KeyFilter);
export type PageKeysInput = z.infer<typeof PageKeysInput>;

/** Checks whether a key can call a model now. Without a dialect, the model's own is used. */
export const CheckKeyInput = z.strictObject({
  id: uuidField,
  model: modelField,
  dialect: dialectField.optional(),
  /** The client and its address; when absent, policies about them are not checked. */
  userAgent: z.string().max(512).optional(),
  address: z.union([z.ipv4(), z.ipv6()]).optional(),
});
export type CheckKeyInput = z.infer<typeof CheckKeyInput>;
