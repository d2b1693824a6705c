import type { AlertSubject } from "@sluice/core/alerts/alert-kinds";
import { appliedLimits, type CostKind, type LimitValues } from "@sluice/core/limits/limit-values";
import type { Ctx } from "../context.ts";
import type { AlertRuleView } from "./alert-view.ts";
import type { SubjectReading } from "./read-figures.ts";

/** An owner that has been idle for longer has spent nothing since it was last evaluated. */
const ACTIVE_MS = 600_000;
/** Owners evaluated per round, the most recently used first. */
const MOST = 500;
const AT_ONCE = 20;

interface Owner {
  kind: "key" | "user";
  id: string;
  values: Partial<LimitValues>;
  isPrepaid: boolean;
}

/** Share of their cost limits and credit that owners have used, in percent; for each owner, the limit that is closest to exhausted. */
export async function readBudgets(ctx: Ctx, rule: AlertRuleView, open: readonly AlertSubject[]): Promise<SubjectReading[]> {
  const owners = (await ownersOf(ctx, rule, open)).filter(
    ({ values, isPrepaid }) => isPrepaid || (appliedLimits(values)?.costs ?? null) !== null,
  );
  const credit = await usedCredit(
    ctx,
    owners.filter(({ isPrepaid }) => isPrepaid).map(({ id }) => id),
  );
  const readings: SubjectReading[] = [];
  for (let from = 0; from < owners.length; from += AT_ONCE) {
    const some = owners.slice(from, from + AT_ONCE);
    readings.push(...(await Promise.all(some.map((owner) => readOwner(ctx, owner, credit.get(owner.id) ?? null)))));
  }
  return readings;
}

async function readOwner({ limits }: Ctx, { kind, id, values }: Owner, credit: number | null): Promise<SubjectReading> {
  const costs = Object.entries(appliedLimits(values)?.costs ?? {}) as [CostKind, number][];
  const { spent } = costs.length === 0 ? { spent: {} } : await limits.usage({ owner: kind, id, values });
  const used = costs.map(([window, limit]) => (100 * ((spent as Partial<Record<CostKind, number>>)[window] ?? 0)) / limit);
  if (credit !== null) used.push(credit);
  return { subject: { kind, id }, reading: { value: spent === null ? null : Math.max(0, ...used), requests: 0 } };
}

/** The owner that the rule names, or for a rule about all: the recently used ones and those with an open incident. */
async function ownersOf(ctx: Ctx, { scope, scopeId }: AlertRuleView, open: readonly AlertSubject[]): Promise<Owner[]> {
  const { users, keysBySha256 } = ctx.snapshot.current();
  const wanted = new Set(open.map(({ kind, id }) => `${kind} ${id}`));
  if (scope === "all") for (const name of await lately(ctx)) wanted.add(name);
  else wanted.add(`${scope} ${scopeId}`);
  const found = new Map<string, Owner>();
  for (const key of keysBySha256.values()) {
    if (wanted.has(`key ${key.id}`)) found.set(`key ${key.id}`, { kind: "key", id: key.id, values: key, isPrepaid: false });
  }
  for (const user of users.values()) {
    const isPrepaid = (user.billing ?? "postpaid") !== "postpaid";
    if (wanted.has(`user ${user.id}`)) found.set(`user ${user.id}`, { kind: "user", id: user.id, values: user, isPrepaid });
  }
  return [...found.values()];
}

async function lately({ pool, tenantId, clock }: Ctx): Promise<string[]> {
  const part = (owner: "key" | "user"): string =>
    `(SELECT '${owner} ' || ${owner}_id AS name FROM ${owner}_totals WHERE tenant_id = $1 AND last_used_at >= $2
      ORDER BY last_used_at DESC LIMIT ${MOST})`;
  const values = [tenantId, new Date(clock.now() - ACTIVE_MS)];
  const { rows } = await pool.query<{ name: string }>(`${part("key")} UNION ALL ${part("user")}`, values);
  return rows.map(({ name }) => name);
}

/** Percentage of the credit available after the last payment that is now used, by user id. */
async function usedCredit({ pool }: Ctx, userIds: readonly string[]): Promise<Map<string, number>> {
  if (userIds.length === 0) return new Map();
  const { rows } = await pool.query<{ id: string; available: number; full: number }>(
    `SELECT a.user_id AS id, (a.balance_nano_usd - a.held_nano_usd - a.floor_nano_usd)::float8 AS available,
       (coalesce(paid.balance_nano_usd, 0) - a.floor_nano_usd)::float8 AS full
     FROM accounts a LEFT JOIN LATERAL (SELECT e.balance_nano_usd FROM account_entries e WHERE e.user_id = a.user_id
       AND e.kind IN ('top_up', 'adjustment') AND e.amount_nano_usd > 0 ORDER BY e.id DESC LIMIT 1) AS paid ON true
     WHERE a.user_id = ANY($1::uuid[])`,
    [userIds],
  );
  return new Map(
    rows.map(({ id, available, full }) => [id, full > 0 ? Math.max(0, 100 * (1 - available / full)) : available > 0 ? 0 : 100]),
  );
}
