import type { KeyStatus } from "@sluice/core/key-statuses";
import type { SortName } from "@sluice/core/sort-names";
import { epochMs } from "@sluice/db/epoch-ms";
import { type LimitsView, moreLimitsSql } from "../limits/limits-view.ts";
import { type ListSource, listStatement, type PageStart, type SqlValues, sqlValues, startsWith } from "../lists/list-statement.ts";
import { isTotalsSort, ownerSorts, type TotalsRow, totalsColumns } from "../lists/usage-totals.ts";
import type { KeyView } from "./key-view.ts";

/** Which keys to select. */
export interface KeysAsk {
  tenantId: string;
  /** null = keys of all users. */
  userId: string | null;
  /** Limits the result to this key, for an actor who signed in by it. */
  keyId?: string | null;
  status?: readonly KeyStatus[] | undefined;
  search?: string | undefined;
  /** Whether `search` may match a key by its owner. */
  searchesOwners: boolean;
  sort: SortName;
  order: "asc" | "desc";
  nowMs: number;
}

/** A row of {@link keysStatement}; times are ms since the epoch. */
export interface KeyRow extends TotalsRow, Omit<KeyView, keyof LimitsView> {
  sortText: string;
  rpm: number | null;
  inFlight: number | null;
  moreLimits: LimitsView;
}

const source: ListSource = {
  select: `k.id, k.user_id AS "userId", k.name, k."group", k.preview, k.rpm, k.in_flight AS "inFlight", ${moreLimitsSql("k")},
  ${epochMs("k.expires_at")} AS "expiresAtMs", nullif(k.policies, '{}') AS policies, k.tags,
  k.disabled_at IS NULL AS enabled, ${epochMs("k.revoked_at")} AS "revokedAtMs",
  ${epochMs("k.previous_valid_until")} AS "previousValidUntilMs", ${epochMs("k.created_at")} AS "createdAtMs", ${totalsColumns}`,
  from: "keys k JOIN key_totals t ON t.key_id = k.id",
  sorts: ownerSorts("k", "t.key_id"),
};

/** Must equal the expression of the index (migration key_totals), or the index is not used. */
const state = "(CASE WHEN k.revoked_at IS NOT NULL THEN 'revoked' WHEN k.disabled_at IS NOT NULL THEN 'disabled' ELSE 'enabled' END)";

/** Owners that a search may match; a search that matches more is too vague to help. */
const MOST_OWNERS = 1_000;

/** One page of keys: a single join, ordered by an index. */
export function keysStatement(ask: KeysAsk, page: { limit: number } & PageStart): { text: string; values: unknown[] } {
  const values = sqlValues();
  const from = isTotalsSort(ask.sort) ? "t" : "k";
  const text = listStatement(source, conditions(ask, from, values), values, { ...page, sort: ask.sort, order: ask.order });
  return { text, values: values.list };
}

export function countKeysStatement(ask: KeysAsk): { text: string; values: unknown[] } {
  const values = sqlValues();
  const text = `SELECT count(*)::int AS total FROM keys k WHERE ${conditions(ask, "k", values).join(" AND ")}`;
  return { text, values: values.list };
}

/** `from` is the table whose index gives the order: filters must be on its columns to narrow the index scan. */
function conditions(ask: KeysAsk, from: "k" | "t", values: SqlValues): string[] {
  const found = [`${ask.userId === null ? from : "k"}.tenant_id = ${values.add(ask.tenantId)}`];
  if (ask.userId !== null) found.push(`${from}.user_id = ${values.add(ask.userId)}::uuid`);
  if (ask.keyId) found.push(`k.id = ${values.add(ask.keyId)}::uuid`);
  if (ask.status) found.push(`(${ask.status.map((status) => statusCondition(status, ask.nowMs, values)).join(" OR ")})`);
  if (ask.search) found.push(searchCondition(ask, ask.search, values));
  return found;
}

function statusCondition(status: KeyStatus, nowMs: number, values: SqlValues): string {
  if (status === "revoked" || status === "disabled") return `${state} = '${status}'`;
  const now = `to_timestamp(${values.add(nowMs)}::float8 / 1000)`;
  return status === "expired"
    ? `(${state} = 'enabled' AND k.expires_at <= ${now})`
    : `(${state} = 'enabled' AND (k.expires_at IS NULL OR k.expires_at > ${now}))`;
}

function searchCondition({ tenantId, searchesOwners }: KeysAsk, search: string, values: SqlValues): string {
  const byKey = startsWith("k.name", search, values);
  if (!searchesOwners) return byKey;
  return `(${byKey} OR k.user_id = ANY (ARRAY(SELECT u.id FROM users u WHERE u.tenant_id = ${values.add(tenantId)}
    AND (${startsWith("u.name", search, values)} OR ${startsWith("u.email", search, values)}) LIMIT ${MOST_OWNERS})))`;
}
