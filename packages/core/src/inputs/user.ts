import { z } from "zod";
import { nameField } from "./provider.ts";

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
});
export type CreateUserInput = z.infer<typeof CreateUserInput>;

export const UpdateUserInput = z.strictObject({
  id: z.uuid(),
  name: nameField.optional(),
  role: roleField.optional(),
  enabled: z.boolean().optional(),
  password: passwordField.optional(),
});
export type UpdateUserInput = z.infer<typeof UpdateUserInput>;

export const LoginInput = z.strictObject({ email: emailField, password: z.string().min(1).max(256) });
export type LoginInput = z.infer<typeof LoginInput>;

export const SetupInput = z.strictObject({
  token: z.string().min(1).max(200),
  email: emailField,
  name: nameField,
  password: passwordField,
});
export type SetupInput = z.infer<typeof SetupInput>;
