import {
  type LeaderboardEntry,
  type LeaderboardOf,
  type LeaderboardSort,
  ratesOf,
  type Span,
  type SpanSums,
} from "@sluice/core/statistics";
import { readSnapshot } from "@sluice/db/read-snapshot";
import { isUuid } from "@sluice/ledger/recent-columns";
import type { Pool } from "pg";
import { type SqlValues, sqlValues } from "../lists/list-statement.ts";
import { bucketsOf } from "../overview/overview-statements.ts";
import { planSettings } from "./read-series.ts";
import { type Dimension, type SumsAsk, summed, wantedSql } from "./sums-statement.ts";

export interface LeaderboardAsk {
  of: LeaderboardOf;
  sort: LeaderboardSort;
  /** null = all there ever was. */
  span: Span | null;
  previous: Span | null;
  /** Whose alone. */
  ask: SumsAsk;
  limit: number;
  page: number;
  fineFromMs: number;
}

const splitOf: Record<LeaderboardOf, Dimension> = { users: "user", keys: "key", providers: "provider", models: "model" };

/** What is sorted by, of columns named as SpanSums; nulls last. And what a share is of, where that adds up. */
const tokens = `(input + output + "cacheWrite" + "cacheRead")`;
const orders: Record<LeaderboardSort, { order: string; shareOf?: string }> = {
  requests: { order: "requests DESC", shareOf: "requests" },
  tokens: { order: `${tokens} DESC`, shareOf: tokens },
  cost: { order: `cost DESC`, shareOf: "cost" },
  cacheHitRate: { order: `"cacheRead" / nullif(input + "cacheWrite" + "cacheRead", 0) DESC NULLS LAST` },
  successRate: { order: `1 - errors / nullif(requests - aborted - refused, 0) DESC NULLS LAST` },
  ttft: { order: `"ttftMsSum" / nullif("ttftCount", 0) ASC NULLS LAST` },
};

interface EntryRow extends SpanSums {
  total: number;
  whole: string | null;
  part: string | null;
  id: string | null;
  rank: number;
  previousRank: number | null;
  name: string | null;
}

/** A page of entries, each with its rank in the span before; and how many there are. One statement. */
export async function readLeaderboard(pool: Pool, ask: LeaderboardAsk): Promise<{ items: LeaderboardEntry[]; total: number }> {
  const values = sqlValues();
  const { order, shareOf = "NULL::numeric" } = orders[ask.sort];
  const ranked = `row_number() OVER (ORDER BY ${order}, requests DESC, id)::int AS rank`;
  const before =
    ask.previous === null
      ? "SELECT NULL AS id, NULL::int AS rank WHERE false"
      : `SELECT id, ${ranked} FROM (${usedSql(values, ask, ask.previous)}) AS earlier`;
  const text = `WITH used AS MATERIALIZED (${usedSql(values, ask, ask.span)}),
    page AS (SELECT *, ${shareOf} AS part, ${ranked} FROM used ORDER BY rank LIMIT ${values.add(ask.limit)} OFFSET ${values.add((ask.page - 1) * ask.limit)}),
    before AS (${before})
    SELECT w.total, w.whole::text, page.*, page.part::text, before.rank AS "previousRank", ${nameOf[ask.of]} AS name
    FROM (SELECT count(*)::int AS total, sum(${shareOf}) AS whole FROM used) AS w LEFT JOIN page ON true LEFT JOIN before ON before.id = page.id
    ORDER BY page.rank`;
  const { rows } = await readSnapshot(pool, planSettings, (client) => client.query<EntryRow>(text, values.list));
  return { items: rows.flatMap(toEntry), total: rows[0]?.total ?? 0 };
}

/** The present name; a name that is gone leaves the id. */
const nameIn = (table: string): string => `(SELECT t.name FROM ${table} t WHERE t.id = CASE WHEN page.id ${isUuid} THEN page.id::uuid END)`;
const nameOf: Record<LeaderboardOf, string> = {
  users: nameIn("users"),
  keys: nameIn("keys"),
  providers: nameIn("providers"),
  models: "page.id",
};

/** Sums of each that was used in a span. */
function usedSql(values: SqlValues, { of, ask, fineFromMs }: LeaderboardAsk, span: Span | null): string {
  const buckets = span === null ? "all" : bucketsOf(span.fromMs, span.toMs, fineFromMs);
  const from = wantedSql(values, ask, splitOf[of], buckets);
  return `SELECT *, "costNanoUsd"::numeric AS cost FROM (SELECT id, ${summed} FROM ${from} WHERE id <> '' GROUP BY 1) AS each
    WHERE requests <> 0 OR "costNanoUsd" <> '0' OR ${tokens} <> 0`;
}

function toEntry(row: EntryRow): LeaderboardEntry[] {
  const { id, name, rank, previousRank, requests, errors, costNanoUsd, part, whole } = row;
  if (id === null) return [];
  const { durationMs: _, ...rates } = ratesOf(row);
  const share = part === null || whole === null || Number(whole) === 0 ? null : Number(part) / Number(whole);
  const tokens = row.input + row.output + row.cacheWrite + row.cacheRead;
  return [{ rank, previousRank, id, name, requests, errors, tokens, costNanoUsd, share, rates }];
}
