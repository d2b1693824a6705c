import { readFile } from "node:fs/promises";
import type pg from "pg";

/**
 * The evidence to compare: what the scripted upstream recorded, what the clients saw, and what is in Postgres. Nothing of the application
 * is imported here, so that its bugs cannot hide themselves.
 */
export interface Counts {
  input: number;
  output: number;
  cacheWrite5m: number;
  cacheWrite1h: number;
  cacheRead: number;
}

/** The upstream writes one line per request when it has read it, and one when it is over. */
export interface OracleLine {
  line: "opened" | "closed";
  id: string;
  seq: number;
  endpoint: string;
  usage?: Counts | null;
  oddUsage?: string | null;
  outputTokensSent?: number;
  endedBy?: "done" | "client_closed" | "scripted";
}

interface ClientLine {
  id: string;
  /** complete: a proper end was received. refused: never admitted. cut: anything else that had begun. */
  outcome: "complete" | "cut" | "refused";
  /** For a stream: four bytes of content per token. */
  outputTokens?: number;
  /** Those of them that arrived at least two seconds before the end. */
  outputTokensEarly?: number;
}

/** A top-up, in the clients' log together with their requests. */
interface TopUpLine {
  topUp: string;
  amountNanoUsd: string;
}

export interface Row {
  id: string;
  state: string;
  flags: string[];
  billable: boolean;
  cost: bigint | null;
  upstreamCost: bigint;
  priceId: string | null;
  usage: Counts;
  attemptCosts: bigint[];
  multipliers: [string, string] | null;
}

export interface Price {
  input: string;
  output: string;
  cacheWrite5m: string | null;
  cacheWrite1h: string | null;
  cacheRead: string | null;
}

export interface Evidence {
  /** By request: its attempts in order, with the last line of each. */
  oracle: Map<string, OracleLine[]>;
  clients: ClientLine[];
  topUps: TopUpLine[];
  /** Without corrections. */
  rows: Map<string, Row>;
  prices: Map<string, Price>;
}

/** @throws when a file or Postgres cannot be read. */
export async function readEvidence(paths: { oracle: string; clients: string }, pool: pg.Pool): Promise<Evidence> {
  const [oracle, clients] = await Promise.all([readLines<OracleLine>(paths.oracle), readLines<ClientLine | TopUpLine>(paths.clients)]);
  const rows = await readRows(pool);
  return {
    oracle: byRequest(oracle),
    clients: clients.filter((line) => "id" in line),
    topUps: clients.filter((line) => "topUp" in line),
    rows,
    prices: await readPrices(pool),
  };
}

async function readLines<Line>(path: string): Promise<Line[]> {
  const text = await readFile(path, "utf8");
  // A line without its end was being written when its writer was stopped.
  const whole = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
  return whole.filter(Boolean).map((line) => JSON.parse(line) as Line);
}

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

interface Detail {
  attempts?: { upstreamCostNanoUsd: string }[];
}

async function readRows(pool: pg.Pool): Promise<Map<string, Row>> {
  const { rows } =
    await pool.query(`SELECT r.id, r.state, r.flags, r.billable, r.cost_nano_usd, r.upstream_cost_nano_usd, r.price_id, r.provider_multiplier::text, r.group_multiplier::text,
    r.input_tokens, r.output_tokens, r.cache_write_5m_tokens, r.cache_write_1h_tokens, r.cache_read_tokens, d.detail
    FROM requests r LEFT JOIN request_details d ON d.id = r.id WHERE r.corrects_id IS NULL`);
  const read = rows.map((row): Row => {
    const detail = (row.detail ?? {}) as Detail;
    return {
      id: row.id,
      state: row.state,
      flags: row.flags ?? [],
      billable: row.billable,
      cost: row.cost_nano_usd === null ? null : BigInt(row.cost_nano_usd),
      upstreamCost: BigInt(row.upstream_cost_nano_usd),
      priceId: row.price_id,
      usage: {
        input: Number(row.input_tokens),
        output: Number(row.output_tokens),
        cacheWrite5m: Number(row.cache_write_5m_tokens),
        cacheWrite1h: Number(row.cache_write_1h_tokens),
        cacheRead: Number(row.cache_read_tokens),
      },
      attemptCosts: (detail.attempts ?? []).map((attempt) => BigInt(attempt.upstreamCostNanoUsd)),
      multipliers: row.provider_multiplier === null ? null : [row.provider_multiplier, row.group_multiplier],
    };
  });
  return new Map(read.map((row) => [row.id, row]));
}

async function readPrices(pool: pg.Pool): Promise<Map<string, Price>> {
  const { rows } = await pool.query<Price & { id: string }>(`SELECT id, input_per_mtok::text AS input, output_per_mtok::text AS output,
    cache_write_5m_per_mtok::text AS "cacheWrite5m", cache_write_1h_per_mtok::text AS "cacheWrite1h", cache_read_per_mtok::text AS "cacheRead" FROM prices`);
  return new Map(rows.map(({ id, ...price }) => [id, price]));
}
