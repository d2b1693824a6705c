import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";
import { PrismaClient } from "./generated/client.ts";
import { type MeasuredQuery, measureQueries } from "./measured-queries.ts";

/**
 * @sluice/db: the ways into storage and nothing else — Prisma and `pg` on Postgres, Redis, the embedded servers,
 * migrations, partitions and the sealing of secrets. It promises connections that survive an outage and errors that say
 * what to do. It is apart so that no rule of the product depends on how data is kept.
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
  /** Told of every statement; absent: nothing is measured. */
  onQuery?: ((query: MeasuredQuery) => void) | undefined;
}

/** A pool of plain connections for batches and hot reads. A connection lost while idle is dropped quietly and replaced on demand. */
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
  // Without a listener a restart of Postgres would end this process; the next query reports the outage anyway.
  pool.on("error", () => {});
  // The pool listens to idle connections only: one lost while it is lent out would end this process too.
  pool.on("connect", (client) => {
    client.on("error", () => {});
    if (onQuery) measureQueries(client, onQuery);
  });
  return pool;
}

export type { PrismaClient } from "./generated/client.ts";

/** The typed client, on a pool of its own (url) or on one shared with plain queries, which the caller ends. */
export function createPrisma(poolOrUrl: pg.Pool | string): PrismaClient {
  const pool = typeof poolOrUrl === "string" ? createPool(poolOrUrl) : poolOrUrl;
  return new PrismaClient({ adapter: new PrismaPg(pool, { disposeExternalPool: typeof poolOrUrl === "string" }) });
}
