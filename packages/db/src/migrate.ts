import { createHash, randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Log } from "@sluice/core/log";
import pg from "pg";

/**
 * Applies prisma/migrations through plain `pg`, because users behind firewalls cannot download Prisma's engine. The table
 * `_prisma_migrations`, its checksums and the advisory lock are Prisma's own, so the stock CLI accepts the result.
 */
export interface MigrateOptions {
  log: Log;
  /** Default: prisma/migrations of this checkout. */
  migrationsDir?: string;
}

export interface Migration {
  name: string;
  sql: string;
  /** SHA-256 of the file, lower-case hex. */
  checksum: string;
}

export interface MigrationStatus {
  applied: string[];
  /** On disk but not in the database: `migrate` would apply these. */
  pending: string[];
  /** In the database but not on disk: applied by a newer version. */
  unknown: string[];
  /** Applied, but the file has changed since. */
  edited: string[];
  /** Started by the stock CLI, but neither finished nor resolved. */
  failed: string[];
}

interface AppliedRow {
  migration_name: string;
  checksum: string;
  finished_at: Date | null;
  rolled_back_at: Date | null;
}

/** The lock that Prisma's engine takes: its CLI and this runner exclude each other. */
const prismaLock = 72_707_369;
const oldestServer = 150_000;
const defaultDir = fileURLToPath(new URL("../../../prisma/migrations/", import.meta.url));

// Identical to what Prisma's engine creates.
const createTable = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id"                      VARCHAR(36) PRIMARY KEY NOT NULL,
    "checksum"                VARCHAR(64) NOT NULL,
    "finished_at"             TIMESTAMPTZ,
    "migration_name"          VARCHAR(255) NOT NULL,
    "logs"                    TEXT,
    "rolled_back_at"          TIMESTAMPTZ,
    "started_at"              TIMESTAMPTZ NOT NULL DEFAULT now(),
    "applied_steps_count"     INTEGER NOT NULL DEFAULT 0
)`;

/** Every migration on disk, oldest first. */
export async function readMigrations(migrationsDir: string = defaultDir): Promise<Migration[]> {
  const entries = await readdir(migrationsDir, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(join(migrationsDir, name, "migration.sql"), "utf8");
      return { name, sql, checksum: checksumOf(sql) };
    }),
  );
}

/** Applies pending migrations, each in one transaction. Resolves with their names. @throws clear errors for a newer or edited history. */
export async function migrate(url: string, options: MigrateOptions): Promise<string[]> {
  const migrations = await readMigrations(options.migrationsDir);
  return withClient(url, async (client) => {
    await checkServer(client);
    await lock(client, options.log);
    await client.query(createTable);
    const status = compare(migrations, await readApplied(client));
    refuseBadHistory(status);
    for (const name of status.pending) {
      const migration = migrations.find((one) => one.name === name);
      if (migration === undefined) continue;
      options.log.info({ migration: name }, `Applying the migration ${name}`);
      await apply(client, migration);
    }
    return status.pending;
  });
}

/** Compares the database with the migrations on disk, without changes. */
export async function migrationStatus(url: string, options: { migrationsDir?: string } = {}): Promise<MigrationStatus> {
  const migrations = await readMigrations(options.migrationsDir);
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ found: boolean }>(`SELECT to_regclass('_prisma_migrations') IS NOT NULL AS found`);
    return compare(migrations, rows[0]?.found === true ? await readApplied(client) : []);
  });
}

/** Runs `work` in a session of its own, whose end also releases its locks. */
async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  // Without a deadline, a server that accepts connections and says nothing would hold up a start forever.
  const client = new pg.Client({ connectionString: url, application_name: "sluice migrate", connectionTimeoutMillis: 5_000 });
  client.on("error", () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function checksumOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

async function checkServer(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ number: number; text: string }>(
    "SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS text",
  );
  const version = rows[0];
  if (version !== undefined && version.number < oldestServer) {
    throw new Error(`PostgreSQL ${version.text} is too old: Sluice needs 15 or newer.`);
  }
}

async function lock(client: pg.Client, log: Log): Promise<void> {
  for (let tries = 0; ; tries++) {
    const { rows } = await client.query<{ got: boolean }>("SELECT pg_try_advisory_lock($1) AS got", [prismaLock]);
    if (rows[0]?.got === true) return;
    if (tries === 20) log.info({}, "Waiting for another process that is migrating this database");
    await sleep(50);
  }
}

async function readApplied(client: pg.Client): Promise<AppliedRow[]> {
  const { rows } = await client.query<AppliedRow>(
    `SELECT migration_name, checksum, finished_at, rolled_back_at FROM "_prisma_migrations" ORDER BY started_at, migration_name`,
  );
  return rows.filter((row) => row.rolled_back_at === null);
}

function compare(migrations: Migration[], rows: AppliedRow[]): MigrationStatus {
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  const finished = rows.filter((row) => row.finished_at !== null);
  const applied = finished.map((row) => row.migration_name);
  const failed = rows.filter((row) => row.finished_at === null && !applied.includes(row.migration_name));
  return {
    applied,
    pending: migrations.map(({ name }) => name).filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !known.has(name)),
    edited: finished.filter((row) => isEdited(row, known.get(row.migration_name))).map((row) => row.migration_name),
    failed: failed.map((row) => row.migration_name),
  };
}

/** Different line endings in a checkout do not count as an edit (as with Prisma). */
function isEdited(row: AppliedRow, migration: Migration | undefined): boolean {
  if (migration === undefined || row.checksum === migration.checksum) return false;
  const unix = migration.sql.replaceAll("\r\n", "\n");
  return row.checksum !== checksumOf(unix) && row.checksum !== checksumOf(unix.replaceAll("\n", "\r\n"));
}

function refuseBadHistory(status: MigrationStatus): void {
  if (status.failed.length > 0) {
    throw new Error(
      `The migration ${status.failed.join(", ")} failed halfway under Prisma's CLI. Repair it, then run 'prisma migrate resolve'.`,
    );
  }
  if (status.unknown.length > 0) {
    throw new Error(
      `The database is newer than this version of Sluice: it has ${status.unknown.join(", ")}. Start the newer version, or restore a backup from before the upgrade.`,
    );
  }
  if (status.edited.length > 0) {
    throw new Error(
      `The migration ${status.edited.join(", ")} was edited after it was applied here. Restore the file and add a new migration instead.`,
    );
  }
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  const startedAt = new Date();
  await client.query("BEGIN");
  try {
    await client.query(migration.sql);
    await client.query(
      `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, $4, clock_timestamp(), 1)`,
      [randomUUID(), migration.checksum, migration.name, startedAt],
    );
    await client.query("COMMIT");
  } catch (cause) {
    await client.query("ROLLBACK").catch(() => {});
    throw new Error(`The migration ${migration.name} failed and was rolled back: ${explain(cause, migration.sql)}`, { cause });
  }
}

function explain(error: unknown, sql: string): string {
  if (!(error instanceof pg.DatabaseError)) return String(error);
  const line = error.position === undefined ? "" : ` (line ${sql.slice(0, Number(error.position)).split("\n").length})`;
  return `${error.message}${line}`;
}
