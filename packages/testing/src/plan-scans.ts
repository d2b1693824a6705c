import type pg from "pg";

/** A reading of a table, as it was really made. */
export interface PlanScan {
  /** "Index Scan", "Index Only Scan", "Seq Scan" … */
  kind: string;
  table: string;
  /** "" = none. */
  index: string;
  /** Rows gone through, also those that a filter then took out. */
  rows: number;
}

/** Runs the query and reports which tables its plan read, and how. What was planned and never begun is left out. */
export async function planScans(db: pg.Pool | pg.PoolClient, { text, values }: pg.QueryConfig): Promise<PlanScan[]> {
  const { rows } = await db.query(`EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) ${text}`, values);
  return scansOf(rows[0]["QUERY PLAN"][0].Plan);
}

interface Plan {
  "Node Type": string;
  "Relation Name"?: string;
  "Index Name"?: string;
  "Actual Rows": number;
  "Actual Loops": number;
  "Rows Removed by Filter"?: number;
  Plans?: Plan[];
}

function scansOf(plan: Plan): PlanScan[] {
  const below = (plan.Plans ?? []).flatMap(scansOf);
  const { "Node Type": kind, "Relation Name": table, "Index Name": index = "", "Actual Loops": loops } = plan;
  if (table === undefined || loops === 0) return below;
  return [{ kind, table, index, rows: loops * (plan["Actual Rows"] + (plan["Rows Removed by Filter"] ?? 0)) }, ...below];
}
