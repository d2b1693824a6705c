import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "@sluice/core/log";
import { startEmbeddedPostgres } from "@sluice/db/embedded-postgres";
import type { MeasuredQuery } from "@sluice/db/measured-queries";
import { migrate } from "@sluice/db/migrate";
import { ensurePartitions } from "@sluice/db/partitions";
import { createPool, createPrisma, type PrismaClient } from "@sluice/db/postgres";
import { startPrivateRedis } from "@sluice/db/private-redis";
import { checkRedis, createRedis } from "@sluice/db/redis";
import { checkSecretFingerprint } from "@sluice/db/secrets";
import type { Redis } from "ioredis";
import type { Pool } from "pg";
import type { Env } from "./env.ts";

/** The connections of this process; closing them also releases embedded servers. */
export interface Storage {
  databaseUrl: string;
  /** For console and jobs. */
  pool: Pool;
  /** Reserved for the settler, so that a slow page of the console never delays billing. */
  ledgerPool: Pool;
  /**
   * For balances. A hold keeps its account locked while the balance is read, and others that wait for the lock occupy connections of
   * `pool`.
   */
  creditPool: Pool;
  prisma: PrismaClient;
  redisUrl: string | null;
  redis: Redis | null;
  close(): Promise<void>;
}

/** Opens Postgres and Redis as configured. Does not wait for an external Postgres: see {@link prepareDatabase}. */
export async function openStorage(env: Env, log: Log, onQuery?: (query: MeasuredQuery) => void): Promise<Storage> {
  const postgres = env.databaseUrl ? null : await startEmbeddedPostgres({ dataDir: env.dataDir, log, keepRunning: true });
  const databaseUrl = env.databaseUrl ?? postgres?.url ?? "";
  const privateRedis = env.redisUrl ? null : await startPrivateRedis({ dataDir: env.dataDir, log, keepRunning: true });
  const redisUrl = env.redisUrl === "none" ? null : (env.redisUrl ?? privateRedis?.url ?? null);
  if (redisUrl === null) log.info({}, "No Redis: limits, live events and sessions are kept in this process");
  const redis = redisUrl === null ? null : createRedis(redisUrl, { name: "sluice" });
  const pool = createPool(databaseUrl, { max: 10, applicationName: "sluice", statementTimeoutMs: 15_000, onQuery });
  const ledgerPool = createPool(databaseUrl, { max: 3, applicationName: "sluice-ledger", onQuery });
  const creditPool = createPool(databaseUrl, { max: 2, applicationName: "sluice-credit", onQuery });
  const prisma = createPrisma(pool);
  const storage: Storage = {
    databaseUrl,
    pool,
    ledgerPool,
    creditPool,
    prisma,
    redisUrl,
    redis,
    async close() {
      redis?.disconnect();
      await prisma.$disconnect();
      await Promise.all([pool, ledgerPool, creditPool].map((each) => (each.ended ? undefined : each.end())));
      await privateRedis?.stop();
      await postgres?.stop();
    },
  };
  try {
    if (redis) await checkRedisServer(redis, log);
    return storage;
  } catch (error) {
    await storage.close();
    throw error;
  }
}

/** An unreachable Redis must not prevent or delay a start: everything works without it. */
const redisDeadlineMs = 1_000;

/** @throws for a cluster and for a Redis that evicts keys; one that does not answer in time is only logged. */
async function checkRedisServer(redis: Redis, log: Log): Promise<void> {
  const check = await checkRedis(redis, { deadlineMs: redisDeadlineMs });
  for (const warning of check.reachable ? check.warnings : []) log.warn({}, warning);
  if (check.reachable) return;
  log.warn({}, "Redis does not respond; continuing without it until it does");
  redis.once("ready", () => {
    checkRedis(redis).then(
      ({ warnings }) => warnings.map((warning) => log.warn({}, warning)),
      (error: unknown) => log.error({ detail: String(error) }, "this Redis is not suitable"),
    );
  });
}

/** Distinguishes connection failures from errors that a retry cannot fix. */
function isOutage(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return (
    /^(ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|57P0|08|53)/.test(code) || /timeout|terminated/i.test(String(error))
  );
}

/**
 * Runs migrations, checks the secret's fingerprint, creates partitions.
 * @throws with advice when the database does not match this program.
 */
async function prepareOnce(storage: Storage, secret: string, log: Log): Promise<void> {
  await migrate(storage.databaseUrl, { log });
  await checkSecretFingerprint(storage.pool, secret);
  await ensurePartitions(storage.pool, { nowMs: Date.now() });
}

interface PrepareOptions {
  secret: string;
  log: Log;
  canWait: boolean;
  deadlineMs: number;
  signal: AbortSignal;
  /** Called to complete the start once the database is available after `later`. */
  whenLate: () => Promise<void>;
}

/**
 * Brings the database up to date. While it cannot be reached, keeps retrying in the background when `canWait` (a snapshot on disk lets
 * known keys work meanwhile), and otherwise fails after `deadlineMs`.
 * @returns "ready", or "later" when it continues in the background.
 */
export async function prepareDatabase(storage: Storage, options: PrepareOptions): Promise<"ready" | "later"> {
  const began = Date.now();
  for (;;) {
    options.signal.throwIfAborted();
    try {
      await prepareOnce(storage, options.secret, options.log);
      return "ready";
    } catch (error) {
      if (!isOutage(error)) throw error;
      const waited = Date.now() - began;
      if (options.canWait) {
        options.log.warn({ detail: String(error) }, "Postgres cannot be reached: serving known keys from the snapshot on disk");
        void retryBehind(storage, options);
        return "later";
      }
      if (waited > options.deadlineMs)
        throw new Error(`Postgres cannot be reached (${String(error)}). Check DATABASE_URL and that the server is running.`, {
          cause: error,
        });
      await sleep(500, undefined, { signal: options.signal });
    }
  }
}

async function retryBehind(storage: Storage, options: PrepareOptions): Promise<void> {
  for (let delayMs = 1_000; !options.signal.aborted; delayMs = Math.min(delayMs * 2, 10_000)) {
    await sleep(delayMs, undefined, { signal: options.signal }).catch(() => undefined);
    if (options.signal.aborted) return;
    try {
      await prepareOnce(storage, options.secret, options.log);
      await options.whenLate();
      options.log.info({}, "Postgres is back; the database is up to date");
      return;
    } catch (error) {
      if (!isOutage(error)) options.log.error({ detail: String(error) }, "the database could not be prepared");
    }
  }
}
