import type { User } from "@sluice/db/generated/client";
import { toLimitsView, toLimitValues } from "../limits/limits-view.ts";
import { toPolicies } from "../policies/to-policies.ts";
import type { UserView } from "./user-view.ts";

/** A stored user without the password hash. */
export function toUserView(row: User): UserView {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    role: row.role,
    enabled: row.disabledAt === null,
    hasPassword: row.passwordHash !== null,
    expiresAtMs: row.expiresAt?.getTime() ?? null,
    policies: toPolicies(row.policies),
    ...toLimitsView(toLimitValues(row)),
    createdAtMs: row.createdAt.getTime(),
  };
}
