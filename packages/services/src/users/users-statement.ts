import type { Policies } from "@sluice/core/inputs/policies";
import type { SortName } from "@sluice/core/sort-names";
import { type LimitsView, moreLimitsSql } from "../limits/limits-view.ts";
import {
  byCount,
  byName,
  byTime,
  type ListSource,
  listStatement,
  type PageStart,
  type SqlValues,
  sqlValues,
  startsWith,
} from "../lists/list-statement.ts";
import { type TotalsRow, totalsColumns } from "../lists/usage-totals.ts";

/** Which users to select. */
export interface UsersAsk {
  tenantId: string;
  status?: "active" | "disabled" | undefined;
  search?: string | undefined;
  sort: SortName;
  order: "asc" | "desc";
}

/** A row of {@link usersStatement}. */
export interface UserRow extends TotalsRow {
  id: string;
  sortText: string;
  email: string;
  name: string;
  role: "admin" | "user";
  enabled: boolean;
  hasPassword: boolean;
  expiresAtMs: number | null;
  policies: Policies | null;
  rpm: number | null;
  inFlight: number | null;
  moreLimits: LimitsView;
  createdAtMs: number;
}

const source: ListSource = {
  select: `u.id, u.email, u.name, u.role::text AS role, u.disabled_at IS NULL AS enabled, u.password_hash IS NOT NULL AS "hasPassword",
  (extract(epoch FROM u.expires_at) * 1000)::float8 AS "expiresAtMs", nullif(u.policies, '{}') AS policies,
  u.rpm, u.in_flight AS "inFlight", ${moreLimitsSql("u")}, (extract(epoch FROM u.created_at) * 1000)::float8 AS "createdAtMs", ${totalsColumns}`,
  from: "users u JOIN user_totals t ON t.user_id = u.id",
  sorts: {
    created: { id: "u.id" },
    name: byName("u.name", "u.id"),
    lastUsed: byTime("t.last_used_at", "t.user_id"),
    requests: byCount("t.requests", "t.user_id"),
    tokens: byCount("t.total_tokens", "t.user_id"),
  },
};

/** One page of users, of `limit` rows. */
export function usersStatement(ask: UsersAsk, page: { limit: number } & PageStart): { text: string; values: unknown[] } {
  const values = sqlValues();
  const usage = ask.sort === "lastUsed" || ask.sort === "requests" || ask.sort === "tokens";
  const text = listStatement(source, conditions(ask, usage ? "t" : "u", values), values, { ...page, sort: ask.sort, order: ask.order });
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
