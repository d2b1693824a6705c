import pg from "pg";

/** A scan of a table, as it was executed. */
export interface PlanScan {
  /** "Index Scan", "Index Only Scan", "Seq Scan" … */
  kind: string;
  table: string;
  /** Empty = none. */
  index: string;
  /** Rows scanned, including those that a filter then removed. */
  rows: number;
}

/**
 * Runs the query and reports which tables its plan scanned, and how. Scans that never ran are left out. A named query is prepared and run
 * with its cached plan.
 */
export async function planScans(db: pg.Pool | pg.PoolClient, query: pg.QueryConfig): Promise<PlanScan[]> {
  const explain = "EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF)";
  if (query.name !== undefined) await db.query(query);
  const { rows } =
    query.name === undefined
      ? await db.query(`${explain} ${query.text}`, query.values)
      : await db.query(`${explain} EXECUTE "${query.name}"(${(query.values ?? []).map(literal)})`);
  return scansOf(rows[0]["QUERY PLAN"][0].Plan);
}

/** The SQL literal of a text, a number or a list of texts. */
function literal(value: unknown): string {
  return pg.escapeLiteral(Array.isArray(value) ? `{${value.map((each) => JSON.stringify(each))}}` : String(value));
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
