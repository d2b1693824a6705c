import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { silentLog } from "@sluice/core/log";
import type { EmbeddedPostgres } from "@sluice/db/embedded-postgres";
import { startEmbeddedPostgres } from "@sluice/db/embedded-postgres";
import { withFileLock } from "@sluice/db/file-lock";
import { migrate } from "@sluice/db/migrate";
import { ensurePartitions } from "@sluice/db/partitions";
import type { PrismaClient } from "@sluice/db/postgres";
import { createPool, createPrisma } from "@sluice/db/postgres";
import { isProcessAlive } from "@sluice/db/process-facts";
import pg from "pg";
import { templateKey, testServicesDir } from "./checkout.ts";

/**
 * @sluice/testing: real Postgres and Redis, factories, a fake clock and waiting with a deadline; only for tests, seed, e2e and bench. All
 * test files share one PostgreSQL, started by the first that needs it and kept between runs (without fsync); each file gets its own
 * database, copied from a template that is migrated once.
 */
export interface TestDatabase {
  url: string;
  name: string;
  pool: pg.Pool;
  prisma: PrismaClient;
  /** Closes pool and client and drops the database. Idempotent. */
  drop(): Promise<void>;
}

let server: Promise<EmbeddedPostgres> | undefined;
let template: Promise<string> | undefined;

/** The PostgreSQL shared by the tests of this checkout; `url` is the superuser's. */
export function testPostgres(): Promise<EmbeddedPostgres> {
  server ??= startEmbeddedPostgres({ dataDir: testServicesDir, durable: false, log: silentLog });
  return server;
}

/** A new, migrated database with partitions around the current time. `empty`: without any migration. */
export async function createTestDatabase(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const { url: serverUrl } = await testPostgres();
  template ??= ensureTemplate(serverUrl);
  const from = options.empty === true ? "template0" : await template;
  const name = `test_${process.pid}_${randomBytes(6).toString("hex")}`;
  await withAdmin(serverUrl, (admin) => admin.query(`CREATE DATABASE ${name} TEMPLATE ${from}`));

  const url = databaseUrl(serverUrl, name);
  // No statement timeout: on a busy machine it would make tests depend on time.
  const pool = createPool(url, { max: 5, applicationName: name, statementTimeoutMs: 0 });
  const prisma = createPrisma(pool);
  let dropped: Promise<void> | undefined;
  const drop = async () => {
    await prisma.$disconnect();
    if (!pool.ended) await pool.end();
    await withAdmin(serverUrl, (admin) => admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
  };
  return {
    url,
    name,
    pool,
    prisma,
    drop() {
      dropped ??= drop();
      return dropped;
    },
  };
}

/** Releases the shared server; the last test process to do so stops it. Called at the end of the test script. */
export async function stopTestServices(): Promise<void> {
  const postgres = await testPostgres();
  server = undefined;
  template = undefined;
  await postgres.stop();
}

function databaseUrl(serverUrl: string, name: string): string {
  return serverUrl.replace(/\/[^/]*$/, `/${name}`);
}

async function withAdmin<T>(serverUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: databaseUrl(serverUrl, "postgres") });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Created once per set of migrations, by one process; the others wait. */
async function ensureTemplate(serverUrl: string): Promise<string> {
  const name = `template_${await templateKey()}`;
  await mkdir(testServicesDir, { recursive: true });
  await withFileLock(join(testServicesDir, "template.lock"), () =>
    withAdmin(serverUrl, async (admin) => {
      await dropLeftovers(admin);
      const { rowCount } = await admin.query("SELECT 1 FROM pg_database WHERE datname = $1", [name]);
      if (rowCount !== 0) return;
      // Renamed when complete, so that an interrupted run leaves nothing that looks ready.
      await admin.query("DROP DATABASE IF EXISTS template_unfinished WITH (FORCE)");
      await admin.query("CREATE DATABASE template_unfinished TEMPLATE template0");
      const url = databaseUrl(serverUrl, "template_unfinished");
      await migrate(url, { log: silentLog });
      const pool = createPool(url, { max: 1 });
      await ensurePartitions(pool, { nowMs: Date.now(), back: 2 });
      await pool.end();
      await admin.query(`ALTER DATABASE template_unfinished RENAME TO ${name}`);
    }),
  );
  return name;
}

/** Drops databases of killed test processes, and templates of older migrations. */
async function dropLeftovers(admin: pg.Client): Promise<void> {
  const current = `template_${await templateKey()}`;
  const { rows } = await admin.query<{ datname: string }>(
    "SELECT datname FROM pg_database WHERE datname LIKE 'test\\_%' OR datname LIKE 'template\\_%'",
  );
  for (const { datname } of rows) {
    const pid = Number(/^test_(\d+)_/.exec(datname)?.[1]);
    const isLeft = Number.isNaN(pid) ? datname !== current : !(await isProcessAlive(pid));
    if (isLeft) await admin.query(`DROP DATABASE IF EXISTS ${datname} WITH (FORCE)`);
  }
}
