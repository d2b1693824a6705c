import type { SortName } from "@sluice/core/sort-names";
import { epochMs } from "@sluice/db/epoch-ms";
import { type LimitsView, moreLimitsSql } from "../limits/limits-view.ts";
import { type ListSource, listStatement, type PageStart, type SqlValues, sqlValues, startsWith } from "../lists/list-statement.ts";
import { isTotalsSort, ownerSorts, type TotalsRow, totalsColumns } from "../lists/usage-totals.ts";
import type { UserView } from "./user-view.ts";

/** Which users to select. */
export interface UsersAsk {
  tenantId: string;
  status?: "active" | "disabled" | undefined;
  search?: string | undefined;
  sort: SortName;
  order: "asc" | "desc";
}

/** A row of {@link usersStatement}. */
export interface UserRow extends TotalsRow, Omit<UserView, keyof LimitsView> {
  sortText: string;
  rpm: number | null;
  inFlight: number | null;
  moreLimits: LimitsView;
}

const source: ListSource = {
  select: `u.id, u.email, u.name, u.role::text AS role, u.disabled_at IS NULL AS enabled, u.password_hash IS NOT NULL AS "hasPassword",
  ${epochMs("u.expires_at")} AS "expiresAtMs", nullif(u.policies, '{}') AS policies,
  u.rpm, u.in_flight AS "inFlight", ${moreLimitsSql("u")}, ${epochMs("u.created_at")} AS "createdAtMs", ${totalsColumns}`,
  from: "users u JOIN user_totals t ON t.user_id = u.id",
  sorts: ownerSorts("u", "t.user_id"),
};

/** One page of users, of `limit` rows. */
export function usersStatement(ask: UsersAsk, page: { limit: number } & PageStart): { text: string; values: unknown[] } {
  const values = sqlValues();
  const from = isTotalsSort(ask.sort) ? "t" : "u";
  const text = listStatement(source, conditions(ask, from, values), values, { ...page, sort: ask.sort, order: ask.order });
  return { text, values: values.list };
}

export function countUsersStatement(ask: UsersAsk): { text: string; values: unknown[] } {
  const values = sqlValues();
  const text = `SELECT count(*)::int AS total FROM users u WHERE ${conditions(ask, "u", values).join(" AND ")}`;
  return { text, values: values.list };
}

/** Number of keys of each of these users, counted up to 100. */
export const keyCountsSql = `SELECT owner.id, (SELECT count(*)::int FROM
  (SELECT FROM keys k WHERE k.user_id = owner.id AND k.revoked_at IS NULL LIMIT 100) AS counted) AS keys
FROM unnest($1::uuid[]) AS owner(id)`;

function conditions(ask: UsersAsk, from: "u" | "t", values: SqlValues): string[] {
  const found = [`${from}.tenant_id = ${values.add(ask.tenantId)}`];
  if (ask.status) found.push(`u.disabled_at IS ${ask.status === "active" ? "" : "NOT "}NULL`);
  if (ask.search) found.push(`(${startsWith("u.name", ask.search, values)} OR ${startsWith("u.email", ask.search, values)})`);
  return found;
}
