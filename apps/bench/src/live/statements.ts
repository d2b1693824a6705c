import type pg from "pg";

/**
 * Statements of this database so far, by text, without this one, the configuration's version poll (each process, every
 * few seconds, viewers or not), the sample of sessions (the worker, every five minutes) and what the settler and the
 * partitions' job do.
 */
export async function statementsSoFar(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ calls: string }>(
    `SELECT coalesce(sum(calls), 0) AS calls FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
     WHERE d.datname = current_database() AND s.query NOT LIKE '%pg_stat_statements%' AND s.query NOT LIKE '%config_version%'
       AND s.query NOT LIKE '%session_samples%'`,
  );
  return Number(rows[0]?.calls);
}
