import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PrismaPg } from "@prisma/adapter-pg";
import type { SqlMigrationAwareDriverAdapterFactory, SqlQuery } from "@prisma/driver-adapter-utils";
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from "@prisma/driver-adapter-utils";
import * as engineModule from "@prisma/schema-engine-wasm/schema_engine_bg";
import { readMigrations } from "@sluice/db/migrate";
import { createPool } from "@sluice/db/postgres";
import pg from "pg";

/** The checkout's Prisma schema, by file. */
export async function readPrismaSchema(): Promise<{ path: string; content: string }[]> {
  const folder = fileURLToPath(new URL("../../../prisma/schema/", import.meta.url));
  const names = (await readdir(folder)).filter((name) => name.endsWith(".prisma")).sort();
  return Promise.all(names.map(async (name) => ({ path: join(folder, name), content: await readFile(join(folder, name), "utf8") })));
}

let loaded: Promise<void> | undefined;

/** Node does not import this .wasm file: load the bytes and pass them to the generated glue. */
async function load(): Promise<void> {
  const bytes = await readFile(fileURLToPath(import.meta.resolve("@prisma/schema-engine-wasm/schema_engine_bg")).replace(/\.js$/, ".wasm"));
  const { instance } = await WebAssembly.instantiate(bytes, {
    "./schema_engine_bg.js": engineModule as unknown as WebAssembly.ModuleImports,
  });
  engineModule.__wbg_set_wasm(instance.exports);
  const start = instance.exports.__wbindgen_start;
  if (typeof start === "function") start();
}

/**
 * What Prisma's engine would change to make the database match the schema: SQL, or one comment when they match. From "empty": the SQL of
 * the whole schema. The engine (WebAssembly) is an internal prerelease: only for tests and development.
 */
export async function diffSchema(url: string, from: "empty" | "database" = "database"): Promise<string> {
  const schema = await readPrismaSchema();
  const result = await withEngine(url, (engine) =>
    engine.diff({
      from: from === "empty" ? { tag: "empty" } : { tag: "schemaDatasource", files: schema, configDir: "" },
      to: { tag: "schemaDatamodel", files: schema },
      script: true,
      exitCode: null,
      filters: noFilters,
    }),
  );
  return result.stdout ?? "";
}

/** The migrations that Prisma's `migrate deploy` would still apply. @throws when the history was edited or a migration failed. */
export async function prismaWouldApply(url: string): Promise<string[]> {
  const migrations = await readMigrations();
  const found = await withEngine(url, (engine) =>
    engine.diagnoseMigrationHistory({
      migrationsList: {
        baseDir: "prisma/migrations",
        lockfile: { path: "migration_lock.toml", content: 'provider = "postgresql"\n' },
        shadowDbInitScript: "",
        migrationDirectories: migrations.map(({ name, sql }) => ({
          path: name,
          migrationFile: { path: "migration.sql", content: { tag: "ok", value: sql } },
        })),
      },
      optInToShadowDatabase: false,
      filters: noFilters,
    }),
  );
  if (found.editedMigrationNames.length > 0) throw new Error(`Prisma finds edited: ${found.editedMigrationNames.join(", ")}`);
  if (found.failedMigrationNames.length > 0) throw new Error(`Prisma finds failed: ${found.failedMigrationNames.join(", ")}`);
  if (found.history === null) return [];
  if (found.history.diagnostic !== "databaseIsBehind") throw new Error(`Prisma finds: ${found.history.diagnostic}`);
  return found.history.unappliedMigrationNames;
}

const noFilters = { externalTables: [], externalEnums: [] };

async function withEngine<T>(url: string, work: (engine: engineModule.SchemaEngine) => Promise<T>): Promise<T> {
  loaded ??= load();
  await loaded;
  const schema = await readPrismaSchema();
  const pool = createPool(url, { max: 2 });
  const adapter = bindMigrationAwareSqlAdapterFactory(withReadableChars(pool));
  const engine = await engineModule.SchemaEngine.new({ datamodels: schema.map(({ path, content }) => [path, content]) }, () => {}, adapter);
  try {
    return await work(engine);
  } finally {
    engine.free();
    await pool.end();
  }
}

/** The adapter does not support Postgres' one-byte "char", which the engine reads often: return it as text and adjust the type. */
function withReadableChars(pool: pg.Pool): SqlMigrationAwareDriverAdapterFactory {
  const charColumns = new WeakMap<unknown[][], number[]>();
  const query = async (config: pg.QueryArrayConfig) => {
    const result = await pool.query<unknown[]>(config);
    const chars = result.fields.flatMap((field, index) => (field.dataTypeID === pg.types.builtins.CHAR ? [index] : []));
    charColumns.set(result.rows, chars);
    for (const field of result.fields) if (field.dataTypeID === pg.types.builtins.CHAR) field.dataTypeID = pg.types.builtins.TEXT;
    return result;
  };
  const factory = new PrismaPg(overlay(pool, { query }));
  const connect = async () => {
    const adapter = await factory.connect();
    const queryRaw = async (statement: SqlQuery) => {
      const result = await adapter.queryRaw(statement);
      for (const index of charColumns.get(result.rows) ?? []) result.columnTypes[index] = ColumnTypeEnum.Character;
      return result;
    };
    return overlay(adapter, { queryRaw });
  };
  return overlay(factory, { connect });
}

/** The same object with some members replaced. */
function overlay<T extends object>(target: T, members: Record<string, unknown>): T {
  return new Proxy(target, {
    get: (_, name) => (typeof name === "string" && name in members ? members[name] : Reflect.get(target, name, target)),
  });
}
