import {
  type LeaderboardEntry,
  type LeaderboardOf,
  type LeaderboardSort,
  type RankedSums,
  type RevokedKeys,
  rankedRatesOf,
  type Span,
} from "@sluice/core/statistics";
import { readSnapshot } from "@sluice/db/read-snapshot";
import { isUuid } from "@sluice/ledger/recent-columns";
import type { Pool } from "pg";
import { sqlValues } from "../lists/list-statement.ts";
import { type Months, readWholeMonths } from "./month-pieces.ts";
import { planSettings } from "./plan-settings.ts";
import { type Ranked, rankedSql } from "./ranked-statement.ts";
import type { SumsAsk } from "./sums-statement.ts";

export interface LeaderboardAsk {
  of: LeaderboardOf;
  sort: LeaderboardSort;
  /** null = all time. */
  span: Span | null;
  previous: Span | null;
  /** Whose usage is ranked. */
  ask: SumsAsk;
  limit: number;
  page: number;
  fineFromMs: number;
}

const rankedBy: Record<LeaderboardOf, Ranked> = { users: "user", keys: "key", providers: "provider", models: "model" };

/** Sort order (nulls last), and the column for shares where shares add up. */
const orders: Record<LeaderboardSort, { order: string; shareOf?: string }> = {
  requests: { order: "requests DESC", shareOf: "requests" },
  tokens: { order: "tokens DESC", shareOf: "tokens" },
  cost: { order: "cost DESC", shareOf: "cost" },
  cacheHitRate: { order: "cached::float8 / nullif(prompt, 0) DESC NULLS LAST" },
  successRate: { order: "(ended - errors)::float8 / nullif(ended, 0) DESC NULLS LAST" },
  ttft: { order: `"ttftMsSum"::float8 / nullif("ttftCount", 0) ASC NULLS LAST` },
};

interface EntryRow extends RankedSums {
  total: number;
  /** Only for keys. */
  revoked?: RevokedKeys | null;
  share: number | null;
  id: string | null;
  rank: number;
  previousRank: number | null;
  name: string | null;
  requests: number;
  tokens: number;
  costNanoUsd: string;
}

const shown = ["requests", "tokens", "errors", "ended", "prompt", "cached", "ttftCount", "ttftMsSum"];

/** All time reads a year of rows: a bitmap scan in page order takes five sixths of the time of an index scan. */
const settings = { ...planSettings, enable_indexscan: "off" } as const;

/** A page of entries, each with its rank in the span before. */
export interface RankedPage {
  items: LeaderboardEntry[];
  /** Number of ranked entries. */
  total: number;
  /** Not ranked, but part of the total. */
  revoked: RevokedKeys | null;
}

/** A single statement, after reading which months are complete. */
export async function readLeaderboard(pool: Pool, board: LeaderboardAsk): Promise<RankedPage> {
  const { of, span, previous, ask } = board;
  const { rows } = await readSnapshot(pool, settings, async (client) => {
    const spans = of === "users" || of === "keys" ? [span, previous] : [];
    const { text, values } = leaderboardStatement(board, await readWholeMonths(client, ask.tenantId, spans));
    return client.query<EntryRow>(text, values);
  });
  const [first] = rows;
  return { items: rows.flatMap(toEntry), total: first?.total ?? 0, revoked: first?.revoked ?? null };
}

function leaderboardStatement(
  { of, sort, span, previous, ask, limit, page, fineFromMs }: LeaderboardAsk,
  whole: Months,
): { text: string; values: unknown[] } {
  const values = sqlValues();
  const { order, shareOf = "NULL::numeric" } = orders[sort];
  const ranked = (of: Span | null): string => rankedSql(values, ask, by, of && { ...of, fineFromMs, whole });
  const by = rankedBy[of];
  const isRanked = of === "keys" ? `id NOT IN (${revokedIds(values.add(ask.tenantId))})` : "true";
  const inOrder = `${order}, requests DESC, id`;
  const rank = `row_number() OVER (ORDER BY ${inOrder})::int AS rank`;
  const earlier =
    previous === null
      ? "SELECT NULL AS id, NULL::int AS rank WHERE false"
      : `SELECT id, ${rank} FROM (${ranked(previous)}) AS each WHERE ${isRanked}`;
  const skipped = (page - 1) * limit;
  // Selects the page first, so that only its rows are numbered.
  const text = `WITH used AS MATERIALIZED (${ranked(span)}),
    page AS (SELECT *, ${shareOf} AS part, ${skipped} + ${rank} FROM (SELECT * FROM used WHERE ${isRanked} ORDER BY ${inOrder} LIMIT ${values.add(limit)} OFFSET ${values.add(skipped)}) AS few),
    earlier AS (${earlier})
    SELECT whole.total,${of === "keys" ? " whole.revoked," : ""} (page.part / nullif(whole.sum, 0))::float8 AS share, page.id, page.rank, earlier.rank AS "previousRank",
      ${nameOf[of]} AS name, page.cost::text AS "costNanoUsd", ${shown.map((name) => `page."${name}"::float8`).join(", ")}
    FROM (${of === "keys" ? wholeOfKeys(isRanked, shareOf) : `SELECT count(*)::int AS total, sum(${shareOf}) AS sum FROM used`}) AS whole
      LEFT JOIN page ON true LEFT JOIN earlier ON earlier.id = page.id
    ORDER BY page.rank`;
  return { text, values: values.list };
}

const revokedIds = (tenantId: string): string =>
  `SELECT k.id::text FROM keys k WHERE k.tenant_id = ${tenantId} AND k.revoked_at IS NOT NULL`;

/** Revoked keys are not ranked, but their usage is reported, so that everything together equals the ledger. */
function wholeOfKeys(isRanked: string, shareOf: string): string {
  const revoked = ["keys", "requests", "errors", "tokens"].map((name) => `'${name}', ${name}::float8`).join(", ");
  const share = "(part / nullif(coalesce(ranked, 0) + coalesce(part, 0), 0))::float8";
  return `SELECT total, coalesce(ranked, 0) + coalesce(part, 0) AS sum,
      CASE WHEN keys > 0 THEN json_build_object(${revoked}, 'costNanoUsd', cost::text, 'share', ${share}) END AS revoked
    FROM (SELECT count(*) FILTER (WHERE is_ranked)::int AS total, sum(measure) FILTER (WHERE is_ranked) AS ranked,
        count(*) FILTER (WHERE NOT is_ranked) AS keys, sum(measure) FILTER (WHERE NOT is_ranked) AS part,
        ${["requests", "errors", "tokens", "cost"].map((name) => `sum(${name}) FILTER (WHERE NOT is_ranked) AS ${name}`).join(", ")}
      FROM (SELECT *, ${isRanked} AS is_ranked, ${shareOf} AS measure FROM used) AS each) AS sums`;
}

/** The current name; null for a deleted thing, where readers show the id. */
const nameIn = (table: string): string =>
  `(SELECT t.name FROM ${table} t WHERE t.id = CASE WHEN ${isUuid("page.id")} THEN page.id::uuid END)`;
const nameOf: Record<LeaderboardOf, string> = {
  users: nameIn("users"),
  keys: nameIn("keys"),
  providers: nameIn("providers"),
  models: "page.id",
};

function toEntry(row: EntryRow): LeaderboardEntry[] {
  const { id, name, rank, previousRank, requests, errors, tokens, costNanoUsd, share } = row;
  if (id === null) return [];
  return [{ rank, previousRank, id, name, requests, errors, tokens, costNanoUsd, share, rates: rankedRatesOf(row) }];
}
