import type pg from "pg";

/**
 * Runs the work. @returns the texts of the statements that the pool's database executed meanwhile, repeated by their number of calls. The
 * processes' regular query of the configuration version is left out, and so are BEGIN and COMMIT: statistics keep the first text of each
 * kind, so the marker of the configuration's transactions may be missing, and statements in other transactions count themselves.
 */
export async function statementsDuring(pool: pg.Pool, work: () => Promise<unknown>): Promise<string[]> {
  const before = await callsByText(pool);
  await work();
  const after = await callsByText(pool);
  return [...after].flatMap(([text, calls]) => Array.from({ length: calls - (before.get(text) ?? 0) }, () => text));
}

async function callsByText(pool: pg.Pool): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ query: string; calls: string }>(
    `SELECT s.query, sum(s.calls) AS calls FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
     WHERE d.datname = current_database() AND s.query NOT LIKE '%pg_stat_statements%' AND s.query NOT LIKE '%config_version%'
       AND s.query !~ '^(BEGIN|COMMIT)'
     GROUP BY s.query`,
  );
  return new Map(rows.map(({ query, calls }) => [query, Number(calls)]));
}
