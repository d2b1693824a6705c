import type pg from "pg";
import type { Evidence } from "./evidence.ts";
import { type Finding, findingOf } from "./finding.ts";

/** I3: postpaid usage + all entries − all rows equals the balance, and open holds equal the held amount. */
export async function checkBalances(pool: pg.Pool): Promise<Finding> {
  const { rows } = await pool.query<{ id: string; kept: string; expected: string }>(`
    WITH charged AS (SELECT user_id, sum(cost_nano_usd) AS cost FROM requests GROUP BY 1),
    moved AS (SELECT user_id, sum(amount_nano_usd) AS amount, sum(held_nano_usd) AS held FROM account_entries GROUP BY 1)
    SELECT a.user_id AS id, concat_ws('/', a.balance_nano_usd, a.held_nano_usd) AS kept,
      concat_ws('/', a.postpaid_nano_usd + coalesce(m.amount, 0) - coalesce(c.cost, 0), coalesce(m.held, 0)) AS expected
    FROM accounts a LEFT JOIN charged c ON c.user_id = a.user_id::text LEFT JOIN moved m ON m.user_id = a.user_id`);
  const wrong = rows.flatMap(({ id, kept, expected }) =>
    kept === expected ? [] : [`${id}: balance/held ${kept}, entries and rows give ${expected}`],
  );
  return findingOf("I3", rows.length, "accounts", wrong);
}

/** I8: a prepaid user never spends more than was available, whatever was in flight together, since only charges lower a balance. */
export async function checkFloors(pool: pg.Pool): Promise<Finding> {
  const { rows } = await pool.query<{ id: string; balance: string; floor: string; charges: number; isBelow: boolean }>(`
    SELECT a.user_id AS id, a.balance_nano_usd::text AS balance, a.floor_nano_usd::text AS floor, a.balance_nano_usd < a.floor_nano_usd AS "isBelow",
      (SELECT count(*)::int FROM requests r WHERE r.user_id = a.user_id::text AND r.cost_nano_usd > 0) AS charges
    FROM accounts a WHERE a.billing <> 'postpaid'`);
  const wrong = rows.flatMap(({ id, balance, floor, isBelow }) => (isBelow ? [`${id}: balance ${balance}, never below ${floor}`] : []));
  const charges = rows.reduce((sum, row) => sum + row.charges, 0);
  return findingOf("I8", charges, "charges to accounts that pay ahead", wrong);
}

/** I11: repeated deliveries of a top-up result in a single entry of its amount, and there are no others. */
export async function checkTopUps({ topUps }: Evidence, pool: pg.Pool): Promise<Finding> {
  const { rows } = await pool.query<{ key: string; amount: string }>(
    "SELECT idempotency_key AS key, amount_nano_usd::text AS amount FROM account_entries WHERE kind = 'top_up'",
  );
  const wrong = topUps.flatMap(({ topUp, amountNanoUsd }) => {
    const credited = rows.filter(({ key }) => key === topUp).map(({ amount }) => amount);
    return credited.join() === amountNanoUsd
      ? []
      : [`${topUp}: ${amountNanoUsd} was paid, credited ${credited.join(" and ") || "nothing"}`];
  });
  if (rows.length !== topUps.length) wrong.push(`${rows.length} entries of ${topUps.length} top-ups`);
  return findingOf("I11", topUps.length, "top-ups, each delivered five times", wrong);
}
