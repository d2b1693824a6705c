import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";
import { PrismaClient } from "./generated/client.ts";
import { type MeasuredQuery, measureQueries } from "./measured-queries.ts";

/**
 * @sluice/db: access to storage and nothing else: Prisma and `pg` on Postgres, Redis, the embedded servers, migrations,
 * partitions and the encryption of secrets. Its connections survive outages and its errors say what to do. It is a package of
 * its own so that no rule of the product depends on how data is stored.
 */
export interface PoolOptions {
  /** Default 10. */
  max?: number;
  /** Shown by pg_stat_activity. */
  applicationName?: string;
  /** Postgres cancels longer statements; default 30,000, 0 = never. */
  statementTimeoutMs?: number;
  /** How long to wait for a free or new connection; default 5,000. */
  connectTimeoutMs?: number;
  /** Called for every statement; absent: nothing is measured. */
  onQuery?: ((query: MeasuredQuery) => void) | undefined;
}

/** A pool of plain connections for batches and hot reads. A connection lost while idle is dropped silently and replaced on demand. */
export function createPool(url: string, options: PoolOptions = {}): pg.Pool {
  const statementTimeoutMs = options.statementTimeoutMs ?? 30_000;
  const { onQuery } = options;
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max ?? 10,
    application_name: options.applicationName ?? "sluice",
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    keepAlive: true,
    ...(statementTimeoutMs > 0 ? { statement_timeout: statementTimeoutMs } : {}),
  });
  // Without a listener, a Postgres restart would end this process; the next query reports the outage anyway.
  pool.on("error", () => {});
  // The pool only listens to idle connections: one lost while in use would end this process too.
  pool.on("connect", (client) => {
    client.on("error", () => {});
    if (onQuery) measureQueries(client, onQuery);
  });
  return pool;
}

export type { PrismaClient } from "./generated/client.ts";

/** The typed client, on its own pool (url) or on one shared with plain queries, which the caller ends. */
export function createPrisma(poolOrUrl: pg.Pool | string): PrismaClient {
  const pool = typeof poolOrUrl === "string" ? createPool(poolOrUrl) : poolOrUrl;
  return new PrismaClient({ adapter: new PrismaPg(pool, { disposeExternalPool: typeof poolOrUrl === "string" }) });
}
