import { type BookCheck, differing, keyOfDay, LISTED, rankedBy, type SumsRow } from "./book-check.ts";
import { isUuid, type RecentRange, recentColumns, recentFrom, recentRanges } from "./recent-columns.ts";

/** What is kept for all time and by the month, computed from daily rollups. */
const totalSums = rankedBy({
  count: (condition) => `coalesce(sum(requests) FILTER (WHERE ${condition}), 0)`,
  ttftCount: "sum(ttft_count)",
  ttftMsSum: "sum(ttft_ms_sum)",
});

/** I2: the overall usage of a key or a user is the sum of its days. */
function totalsCheck(table: "key_totals" | "user_totals", id: "key_id" | "user_id"): BookCheck {
  return {
    table,
    async find(db) {
      const names = Object.keys(totalSums);
      const figures = (of: string): string => `ARRAY[${names.map((name) => `coalesce(${of}.${name}, 0)::text`).join(", ")}]`;
      const { rows } = await db.query<{ id: string; raw: string[]; kept: string[] }>(`
        WITH used AS (SELECT ${id}::uuid AS id, ${Object.entries(totalSums)
          .map(([name, sum]) => `${sum} AS ${name}`)
          .join(", ")} FROM rollups_day WHERE ${isUuid(id)} AND ${isUuid("user_id")} GROUP BY 1)
        SELECT id, ${figures("u")} AS raw, ${figures("t")} AS kept
        FROM used u FULL JOIN (SELECT ${id} AS id, ${names.join(", ")} FROM ${table}) t USING (id)
        WHERE ${figures("u")} <> ${figures("t")} LIMIT ${LISTED}`);
      return rows.map(({ id: of, raw, kept }) => ({
        ...{ invariant: "I2" as const, table, id: of, ...differing(names, raw, kept) },
        ...(id === "key_id" ? { keyId: of } : { userId: of }),
      }));
    },
  };
}

/** I2: what a key used in a month is the sum of its days. */
function monthsCheck(): BookCheck {
  return {
    table: "key_months",
    async find(db) {
      const names = Object.keys(totalSums);
      const figures = (of: string): string => `ARRAY[${names.map((name) => `coalesce(${of}.${name}, 0)::text`).join(", ")}]`;
      const { rows } = await db.query<SumsRow & { key_id: string; user_id: string }>(`
        WITH days AS (SELECT tenant_id, date_trunc('month', bucket, 'UTC') AS bucket, user_id, key_id,
          ${names.map((name) => `sum(${name}) AS ${name}`).join(", ")} FROM key_days GROUP BY 1, 2, 3, 4)
        SELECT concat_ws(' ', ${keyOfDay}) AS key, bucket, user_id, key_id, ${figures("d")} AS raw, ${figures("m")} AS kept
        FROM days d FULL JOIN key_months m USING (${keyOfDay}) WHERE ${figures("d")} <> ${figures("m")} LIMIT ${LISTED}`);
      return rows.map(({ key, bucket, key_id, user_id, raw, kept }) => ({
        ...{ invariant: "I2" as const, table: "key_months", id: key, bucketMs: bucket.getTime(), keyId: key_id, userId: user_id },
        ...differing(names, raw, kept),
      }));
    },
  };
}

/** I2: the recent usage of a key or a user is the sum of the hours since the start of the range. */
function recentCheck(owner: "key" | "user", range: RecentRange): BookCheck {
  const columns = recentColumns(range, "true");
  const names = Object.keys(columns);
  const table = `${owner}_totals`;
  const texts = (of: string): string => `concat_ws(', ', ${names.map((name) => `'${name} ' || coalesce(${of}.${name}, 0)`).join(", ")})`;
  const ids = owner === "key" ? `${isUuid("key_id")} AND ${isUuid("user_id")}` : isUuid("user_id");
  return {
    table,
    async find(db) {
      const { rows } = await db.query<{ id: string; expected: string; kept: string }>(`
        WITH used AS (SELECT ${owner}_id::uuid AS id, ${names.map((name) => `${columns[name]} AS ${name}`).join(", ")}
          FROM rollups_hour WHERE bucket >= ${recentFrom(range)} AND ${ids} GROUP BY 1)
        SELECT id, ${texts("u")} AS expected, ${texts("t")} AS kept
        FROM used u FULL JOIN (SELECT ${owner}_id AS id, ${names.join(", ")} FROM ${table}) t USING (id)
        WHERE ${texts("u")} <> ${texts("t")} LIMIT ${LISTED}`);
      return rows.map(({ id, expected, kept }) => ({
        ...{ invariant: "I2" as const, table, id, expected, found: kept },
        ...(owner === "key" ? { keyId: id } : { userId: id }),
      }));
    },
  };
}

/** What keys and users have used: in total, recently and by the month. */
export const totalsChecks: readonly BookCheck[] = [
  totalsCheck("key_totals", "key_id"),
  totalsCheck("user_totals", "user_id"),
  ...recentRanges.flatMap((range) => [recentCheck("key", range), recentCheck("user", range)]),
  monthsCheck(),
];

/** I3: every balance is what the account was given minus what the ledger charged, and its held amount matches its open holds. */
export const balancesCheck: BookCheck = {
  table: "accounts",
  async find(db) {
    const { rows } = await db.query<{ id: string; kept: string; expected: string }>(`
      WITH charged AS (SELECT user_id, sum(cost_nano_usd) AS cost FROM rollups_day WHERE user_id <> '' GROUP BY 1),
      moved AS (SELECT user_id, sum(amount_nano_usd) AS amount, sum(held_nano_usd) AS held FROM account_entries GROUP BY 1)
      SELECT a.user_id AS id, concat('balance ', a.balance_nano_usd, ', held ', a.held_nano_usd) AS kept,
        concat('balance ', a.postpaid_nano_usd + coalesce(m.amount, 0) - coalesce(c.cost, 0), ', held ', coalesce(m.held, 0)) AS expected
      FROM accounts a LEFT JOIN charged c ON c.user_id = a.user_id::text LEFT JOIN moved m ON m.user_id = a.user_id
      WHERE a.balance_nano_usd <> a.postpaid_nano_usd + coalesce(m.amount, 0) - coalesce(c.cost, 0) OR a.held_nano_usd <> coalesce(m.held, 0)
      LIMIT ${LISTED}`);
    return rows.map(({ id, kept, expected }) => ({ invariant: "I3", table: "accounts", id, userId: id, expected, found: kept }));
  },
};
