import { firstIdAt, timeOfId } from "@sluice/core/ids";
import type { RequestDetail, RequestRow } from "@sluice/core/requests";
import { readSnapshot } from "@sluice/db/read-snapshot";
import type pg from "pg";
import { type ListOptions, listStatement } from "./list-statement.ts";
import { type SearchBudget, searchBudget, searchRows } from "./search-rows.ts";
import { type DbRow, rowColumns, toRow, toUsage, type UsageColumns } from "./stored-row.ts";

/**
 * The read side of `requests`. Lists are paged by keyset on the id, newest first, and read only an index on the relevant
 * partitions. Corrections are never listed; their differences are added to the row they correct.
 */
export interface RequestPage {
  /** Newest first, at most `limit`. */
  rows: RequestRow[];
  /** `before` of the next page; null when nothing older can match. */
  next: string | null;
  /**
   * Set when a filter without an index examined as many rows as it may and found too few: everything from this
   * time on has been searched. The next page (`next`) continues from there.
   */
  searchedToMs: number | null;
}

/**
 * Index order only. With the statistics of a growing table whose values are unevenly distributed, the planner would
 * sometimes rather read and sort a month for the fifty rows of a page.
 */
export const planSettings = { enable_seqscan: "off", enable_bitmapscan: "off", enable_sort: "off", statement_timeout: "10s" } as const;
/** For a page whose plan is kept on the connection. */
export const keptPlanSettings = { ...planSettings, plan_cache_mode: "force_generic_plan" } as const;

export async function listRequests(pool: pg.Pool, options: ListOptions & { budget?: SearchBudget }): Promise<RequestPage> {
  const statement = listStatement(options);
  if (!statement) return { rows: [], next: null, searchedToMs: null };
  return readSnapshot(pool, statement.kind === "range" ? keptPlanSettings : planSettings, async (client) => {
    const { found, edge } =
      statement.kind === "search"
        ? await searchRows(client, statement, { ...options, budget: options.budget ?? searchBudget })
        : { found: (await client.query<DbRow>(statement.page)).rows, edge: null };
    const rows = await folded(client, found.slice(0, options.limit).map(toRow));
    if (found.length > options.limit) return { rows, next: rows.at(-1)?.id ?? null, searchedToMs: null };
    return { rows, next: edge, searchedToMs: edge === null ? null : timeOfId(edge) };
  });
}

/** One request with its detail; null when there is no such row. A correction is found by its own id. */
export async function getRequest(pool: pg.Pool, id: string): Promise<{ row: RequestRow; detail: RequestDetail | null } | null> {
  const { rows } = await pool.query<DbRow & { detail: RequestDetail | null }>({
    name: "sluice_request",
    text: `SELECT ${rowColumns}, d.detail FROM requests r LEFT JOIN request_details d ON d.id = r.id WHERE r.id = $1`,
    values: [id],
  });
  const [found] = rows;
  if (!found) return null;
  const [row] = await folded(pool, [toRow(found)]);
  return row ? { row, detail: found.detail } : null;
}

/** The rows that exist for these ids, newest first, with corrections added. */
export async function rowsByIds(pool: pg.Pool, ids: readonly string[]): Promise<RequestRow[]> {
  if (ids.length === 0) return [];
  const { rows } = await pool.query<DbRow>({
    name: "sluice_rows_by_ids",
    text: `SELECT ${rowColumns} FROM requests r WHERE r.id = ANY($1::uuid[]) ORDER BY r.id DESC`,
    values: [ids],
  });
  return folded(pool, rows.map(toRow));
}

/** The last commit position, "0" in an empty ledger. Positions rise with commits, so rows below it do not change. */
export async function newestSettledSeq(pool: pg.Pool): Promise<string> {
  const { rows } = await pool.query<{ seq: string }>("SELECT coalesce(max(settled_seq), 0) AS seq FROM requests");
  return rows[0]?.seq ?? "0";
}

interface CorrectionRow extends UsageColumns {
  corrects_id: string;
  cost_nano_usd: string | null;
}

/**
 * A correction lies in the millisecond of the row it corrects, so one short index range per row finds it. OFFSET 0 keeps the
 * planner from turning that into a join with the whole table.
 */
export const correctionsSql = `SELECT o.id AS corrects_id, c.input_tokens, c.output_tokens, c.cache_write_5m_tokens,
    c.cache_write_1h_tokens, c.cache_read_tokens, c.cost_nano_usd
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS o(id, low, high)
  CROSS JOIN LATERAL (SELECT * FROM requests r WHERE r.id >= o.low AND r.id < o.high AND r.corrects_id = o.id OFFSET 0) AS c`;

async function folded(db: pg.Pool | pg.PoolClient, rows: RequestRow[]): Promise<RequestRow[]> {
  const ids = rows.map(({ id }) => id);
  if (ids.length === 0) return rows;
  const times = ids.map(timeOfId);
  const { rows: corrections } = await db.query<CorrectionRow>({
    name: "sluice_corrections",
    text: correctionsSql,
    values: [ids, times.map((ms) => firstIdAt(ms)), times.map((ms) => firstIdAt(ms + 1))],
  });
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const correction of corrections) {
    const row = byId.get(correction.corrects_id);
    if (row) byId.set(row.id, corrected(row, { usage: toUsage(correction), costNanoUsd: correction.cost_nano_usd }));
  }
  return [...byId.values()];
}

/** The row with a correction added. A row that had no price has one now. */
export function corrected(row: RequestRow, by: Pick<RequestRow, "usage" | "costNanoUsd">): RequestRow {
  const { usage } = row;
  const costNanoUsd = by.costNanoUsd === null ? row.costNanoUsd : (BigInt(row.costNanoUsd ?? "0") + BigInt(by.costNanoUsd)).toString();
  const flags = row.flags.filter((flag) => flag !== "corrected" && (flag !== "unpriced" || costNanoUsd === null));
  return {
    ...row,
    usage: {
      input: usage.input + by.usage.input,
      output: usage.output + by.usage.output,
      cacheWrite5m: usage.cacheWrite5m + by.usage.cacheWrite5m,
      cacheWrite1h: usage.cacheWrite1h + by.usage.cacheWrite1h,
      cacheRead: usage.cacheRead + by.usage.cacheRead,
    },
    flags: [...flags, "corrected"],
    costNanoUsd,
  };
}
