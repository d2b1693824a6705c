import { z } from "zod";
import { expiryField, searchField } from "./key.ts";
import { changedLimitFields, newLimitFields } from "./limits.ts";
import { policiesField } from "./policies.ts";
import { nameField } from "./provider.ts";
import { NumberedPageInput, SortedPageInput } from "./sorted-page.ts";
import { uuidField } from "./uuid.ts";

export const emailField = z
  .email()
  .max(254)
  .transform((email) => email.normalize("NFKC").toLowerCase());
export const roleField = z.enum(["admin", "user"]);
/** Length only: composition rules make passwords worse (NIST SP 800-63B section 3.1.1). */
export const passwordField = z.string().min(10).max(256);

export const CreateUserInput = z.strictObject({
  email: emailField,
  name: nameField,
  role: roleField.default("user"),
  password: passwordField.optional(),
  ...newLimitFields,
  /** When the user's keys expire. */
  expiresAtMs: expiryField.default(null),
  policies: policiesField.default({}),
});
export type CreateUserInput = z.infer<typeof CreateUserInput>;

export const UpdateUserInput = z.strictObject({
  id: uuidField,
  name: nameField.optional(),
  role: roleField.optional(),
  enabled: z.boolean().optional(),
  password: passwordField.optional(),
  ...changedLimitFields,
  expiresAtMs: expiryField.optional(),
  /** Replaces all of them. */
  policies: policiesField.optional(),
});
export type UpdateUserInput = z.infer<typeof UpdateUserInput>;

const UserFilter = {
  /** Absent = any. */
  status: z.enum(["active", "disabled"]).optional(),
  /** Prefix of the name or e-mail. */
  search: searchField.optional(),
  /** Extra parts of the answer; `keys` counts keys that are not revoked, up to 100. */
  fields: z
    .array(z.enum(["email", "totals", "keys", "credit"]))
    .max(4)
    .default([]),
};

export const ListUsersInput = SortedPageInput.extend(UserFilter);
export type ListUsersInput = z.infer<typeof ListUsersInput>;

export const PageUsersInput = NumberedPageInput.extend(UserFilter);
export type PageUsersInput = z.infer<typeof PageUsersInput>;

/** Changes the caller's own password; the current one proves who is asking. */
export const ChangePasswordInput = z.strictObject({ current: z.string().min(1).max(256), password: passwordField });
export type ChangePasswordInput = z.infer<typeof ChangePasswordInput>;

export const LoginInput = z.strictObject({ email: emailField, password: z.string().min(1).max(256) });
export type LoginInput = z.infer<typeof LoginInput>;

/** A client's key, as clients send it. */
export const KeyLoginInput = z.strictObject({ key: z.string().trim().min(1).max(512) });

export const SetupInput = z.strictObject({
  token: z.string().min(1).max(200),
  email: emailField,
  name: nameField,
  password: passwordField,
});
export type SetupInput = z.infer<typeof SetupInput>;
