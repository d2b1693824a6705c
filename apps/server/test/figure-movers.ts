import { once } from "node:events";
import { Redis } from "ioredis";
import pg from "pg";

/** Runs work in its own session: a session reports its statistics when it ends, otherwise only after up to ten seconds. */
async function inSession(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<unknown>): Promise<void> {
  const client = await pool.connect();
  try {
    await work(client);
  } finally {
    client.release(true);
  }
}

/** Two sessions that each want the other's lock; PostgreSQL aborts one of them. */
export async function runIntoDeadlock(pool: pg.Pool): Promise<void> {
  await pool.query(
    "CREATE TABLE IF NOT EXISTS contended (id int PRIMARY KEY); INSERT INTO contended VALUES (1), (2) ON CONFLICT DO NOTHING",
  );
  const lock = (client: pg.PoolClient, id: number) => client.query("SELECT FROM contended WHERE id = $1 FOR UPDATE", [id]);
  await inSession(pool, (one) =>
    inSession(pool, async (other) => {
      for (const client of [one, other]) await client.query("BEGIN; SET LOCAL deadlock_timeout = '10ms'");
      await Promise.all([lock(one, 1), lock(other, 2)]);
      const ends = await Promise.allSettled([lock(one, 2), lock(other, 1)]);
      const failed = ends.find((end) => end.status === "rejected")?.reason;
      if (!(failed instanceof pg.DatabaseError) || failed.code !== "40P01") throw new Error("no deadlock", { cause: failed });
    }),
  );
}

/** A sort that exceeds its memory. */
export async function spillSort(pool: pg.Pool): Promise<void> {
  const sort = "SELECT count(*) FROM (SELECT n FROM generate_series(1, 50000) n ORDER BY -n OFFSET 1) sorted";
  await inSession(pool, (client) => client.query(`SET work_mem = '64kB'; ${sort}`));
}

/** A table with rows that are on disk but in no buffer, half of them dead; vacuuming it takes seconds. */
export async function makeDeadRows(pool: pg.Pool): Promise<void> {
  await inSession(pool, async (client) => {
    await client.query(
      `CREATE TABLE decaying (n int) WITH (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0,
         autovacuum_vacuum_cost_delay = 20, autovacuum_vacuum_cost_limit = 1)`,
    );
    await client.query("INSERT INTO decaying SELECT generate_series(1, 2000)");
    // VACUUM FULL writes past the buffers.
    await client.query("VACUUM FULL decaying");
    await client.query("DELETE FROM decaying WHERE n % 2 = 0");
  });
}

/** Makes the server's autovacuum run every second. */
export async function hurryAutovacuum(pool: pg.Pool): Promise<void> {
  await pool.query("ALTER SYSTEM SET autovacuum_naptime = '1s'");
  await pool.query("SELECT pg_reload_conf()");
}

/** A replica that connects and follows; returns a function that ends it. */
export async function connectReplica(url: string): Promise<() => Promise<void>> {
  const replica = new pg.Client({ connectionString: url, replication: "true" } as pg.ClientConfig);
  replica.on("error", () => undefined);
  await replica.connect();
  const { rows } = await replica.query<{ xlogpos: string }>("IDENTIFY_SYSTEM");
  // Runs until the connection ends.
  void replica.query(`START_REPLICATION PHYSICAL ${rows[0]?.xlogpos}`).catch(() => undefined);
  return async () => {
    const ended = once(replica, "end");
    replica.end().catch(() => undefined);
    await ended;
  };
}

/** Limits Redis to less memory than it uses, and back; it evicts keys of its choice that have an expiry. */
export async function evictKeys(url: string): Promise<void> {
  const redis = new Redis(url);
  try {
    const used = Number(/^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1]);
    await redis.config("SET", "maxmemory-policy", "volatile-ttl");
    await redis.config("SET", "maxmemory", String(used + 2 ** 20));
    for (let n = 0; n < 300; n++) await redis.set(`filler:${n}`, "x".repeat(10_000), "EX", 5);
  } finally {
    redis.disconnect();
  }
}

export async function restoreMemory(url: string): Promise<void> {
  const redis = new Redis(url);
  await redis.config("SET", "maxmemory", "0");
  await redis.config("SET", "maxmemory-policy", "noeviction");
  redis.disconnect();
}

/** A command that Redis logs as slow. */
export async function runSlowCommand(url: string): Promise<void> {
  const redis = new Redis(url);
  await redis.config("SET", "slowlog-log-slower-than", "0");
  await redis.ping();
  await redis.config("SET", "slowlog-log-slower-than", "10000");
  redis.disconnect();
}
