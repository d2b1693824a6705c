import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isId } from "@sluice/core/ids";
import type { Usage } from "@sluice/core/requests";
import type pg from "pg";
import { decodePayload, scanFrames } from "./frames.ts";
import { type Difference, findDoubles, findWrongBalances, findWrongCosts, findWrongSums, findWrongTotals } from "./reconcile.ts";
import { segmentNumber } from "./segment-writer.ts";
import { toUsage } from "./stored-row.ts";

/**
 * Checks the invariants from outside: what the scripted upstream recorded that it sent, what clients report that they
 * received, and Postgres. Nothing here asks the gateway.
 */
export interface CheckOptions {
  /** JSON lines of apps/upstream. */
  oraclePath: string;
  pool: pg.Pool;
  /** What clients saw: JSON lines of {@link ClientLine}, or the lines themselves. */
  clientLog?: string | readonly ClientLine[];
  /** Parent directory of the spools: every FINISH in them must have its row or be in quarantine. */
  spoolDir?: string;
}

export interface ClientLine {
  /** The request id that the gateway assigned. */
  id: string;
  /** complete: the client received a proper end, so the charge must exist. cut: anything else that had begun. */
  outcome: "complete" | "cut" | "refused";
  /** Counted the way the upstream counts content (four bytes per token): the lower bound of what an aborted request is billed. */
  outputTokens?: number;
}

interface OracleLine {
  line: "opened" | "closed";
  id: string;
  seq: number;
  endpoint: string;
  status?: number;
  usage?: Usage | null;
  oddUsage?: string | null;
  outputTokensSent?: number;
  endedBy?: "done" | "client_closed" | "scripted";
}

interface Row {
  id: string;
  state: string;
  status: number;
  flags: string[];
  billable: boolean;
  cost: string | null;
  provider_id: string;
  attempts: number;
  usage: Usage;
}

/** Bounds of an estimate: ± 40 %. */
const LOW = 0.6;
const HIGH = 1.4;
const endpointsWithoutUsage = new Set(["models", "countTokens"]);

/** All differences found; an empty list means that the books are right. @throws when a file or Postgres cannot be read. */
export async function checkInvariants(options: CheckOptions): Promise<Difference[]> {
  const { pool } = options;
  const clients = typeof options.clientLog === "string" ? await readLines<ClientLine>(options.clientLog) : (options.clientLog ?? []);
  const oracle = byRequest(await readLines<OracleLine>(options.oraclePath));
  const rows = await readRows(pool);
  return [
    ...checkOracle(oracle, rows, new Map(clients.map((line) => [line.id, line]))),
    ...checkClients(clients, rows),
    ...checkUnexpected(oracle, rows),
    ...(options.spoolDir === undefined ? [] : await checkSpools(options.spoolDir, pool)),
    ...(await findWrongSums(pool)),
    ...(await findWrongTotals(pool)),
    ...(await findWrongBalances(pool)),
    ...(await findDoubles(pool)),
    ...(await findWrongCosts(pool)),
  ];
}

async function readLines<Line>(path: string): Promise<Line[]> {
  const text = await readFile(path, "utf8");
  // A last line without a newline was being written when the process was killed.
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
}

/** The attempts of each request in order, each represented by its last line. */
function byRequest(lines: readonly OracleLine[]): Map<string, OracleLine[]> {
  const requests = new Map<string, Map<number, OracleLine>>();
  for (const line of lines) {
    if (line.id === "") continue;
    const attempts = requests.get(line.id) ?? new Map<number, OracleLine>();
    attempts.set(line.seq, line);
    requests.set(line.id, attempts);
  }
  return new Map([...requests].map(([id, attempts]) => [id, [...attempts.values()].sort((a, b) => a.seq - b.seq)]));
}

async function readRows(pool: pg.Pool): Promise<Map<string, Row>> {
  const { rows } = await pool.query(`SELECT id, state, status, flags, billable, cost_nano_usd AS cost, provider_id, attempts,
    input_tokens, output_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens FROM requests WHERE corrects_id IS NULL`);
  return new Map(rows.map((row): [string, Row] => [row.id, { ...row, flags: row.flags ?? [], usage: toUsage(row) }]));
}

/** I1 and I9: each request that reached the upstream has exactly one row, and the row matches what was on the wire. */
function checkOracle(oracle: Map<string, OracleLine[]>, rows: Map<string, Row>, clients: Map<string, ClientLine>): Difference[] {
  const differences: Difference[] = [];
  for (const [id, attempts] of oracle) {
    const last = attempts.at(-1);
    const row = rows.get(id);
    if (!last) continue;
    if (!row) differences.push({ invariant: "I1", id, what: "reached the upstream and has no row" });
    else if (row.state === "refused") differences.push({ invariant: "I9", id, what: "was refused and reached the upstream" });
    else if (!endpointsWithoutUsage.has(last.endpoint)) {
      const what = disagreement(row, last, clients.get(id));
      if (what) differences.push({ invariant: "I1", id, what });
    }
  }
  return differences;
}

function disagreement(row: Row, last: OracleLine, client: ClientLine | undefined): string {
  if (last.oddUsage) return "";
  if (row.state === "done") {
    if (last.line === "opened" || last.endedBy === "scripted") return `done, but the upstream ended it ${last.endedBy ?? "never"}`;
    if (!last.usage) return "";
    return same(row.usage, last.usage) ? "" : `tokens ${text(row.usage)}, on the wire ${text(last.usage)}`;
  }
  const { output } = row.usage;
  const flagged = row.flags.some((flag) => flag === "partial" || flag === "recovered" || flag === "estimated");
  // The end arrived in full and only the client did not wait for it: then exact numbers are as good as an estimate.
  if (last.usage && same(row.usage, last.usage)) return "";
  // An upstream that is still writing or was killed has not reported how much it sent.
  const sent = last.usage?.output ?? last.outputTokensSent;
  if (sent !== undefined && output > Math.ceil(HIGH * sent) + 1) return `${output} output tokens billed, ${sent} were sent`;
  const received = client?.outputTokens ?? 0;
  if (!row.flags.includes("recovered") && output < Math.floor(LOW * received) - 1)
    return `${output} output tokens billed, the client received ${received}`;
  if (output > 0 && !flagged) return `${row.state} with ${output} output tokens and no flag`;
  if (row.flags.includes("recovered") && row.usage.input + output === 0 && row.cost !== "0") return `void, but the cost is ${row.cost}`;
  return "";
}

/** I6: every client that received a proper end has a row that says so. */
function checkClients(clients: readonly ClientLine[], rows: Map<string, Row>): Difference[] {
  return clients.flatMap(({ id, outcome }): Difference[] => {
    const row = rows.get(id);
    if (outcome !== "complete") return [];
    if (!row) return [{ invariant: "I6", id, what: "acknowledged to the client, but there is no row" }];
    return row.state === "done" ? [] : [{ invariant: "I6", id, what: `acknowledged to the client, but the row says ${row.state}` }];
  });
}

/** I6: nobody pays for a request that no upstream saw. */
function checkUnexpected(oracle: Map<string, OracleLine[]>, rows: Map<string, Row>): Difference[] {
  return [...rows.values()].flatMap((row): Difference[] => {
    const charged = row.usage.output > 0 || (row.cost !== null && row.cost !== "0");
    return charged && !oracle.has(row.id) ? [{ invariant: "I6", id: row.id, what: "charged, but no upstream saw it" }] : [];
  });
}

/** I4: every FINISH in any spool has its row. */
async function checkSpools(dir: string, pool: pg.Pool): Promise<Difference[]> {
  const ids: string[] = [];
  for (const name of await readdir(dir, { recursive: true })) {
    const segment = segmentNumber(name.slice(name.lastIndexOf("/") + 1));
    if (segment === null) continue;
    for (const found of scanFrames(await readFile(join(dir, name)), segment)) {
      const read = found.good ? decodePayload(found.payload) : null;
      if ((read?.kind === "finish" || read?.kind === "refuse") && isId(read.record.row.id)) ids.push(read.record.row.id);
    }
  }
  const { rows } = await pool.query<{ id: string }>(
    `SELECT id FROM unnest($1::text[]) AS spooled(id) WHERE NOT EXISTS (SELECT FROM requests r WHERE r.id = spooled.id::uuid)
     AND NOT EXISTS (SELECT FROM ledger_quarantine q WHERE q.request_id = spooled.id)`,
    [ids],
  );
  return rows.map(({ id }) => ({ invariant: "I4", id, what: "its FINISH is spooled and there is no row" }));
}

function same(a: Usage, b: Usage): boolean {
  return text(a) === text(b);
}

function text({ input, output, cacheWrite5m, cacheWrite1h, cacheRead }: Usage): string {
  return `${input}/${output}/${cacheWrite5m}/${cacheWrite1h}/${cacheRead}`;
}
