import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PrismaPg } from "@prisma/adapter-pg";
import { bindMigrationAwareSqlAdapterFactory } from "@prisma/driver-adapter-utils";
import * as engineModule from "@prisma/schema-engine-wasm/schema_engine_bg";

/** The checkout's Prisma schema, file by file. */
export async function readPrismaSchema(): Promise<{ path: string; content: string }[]> {
  const folder = fileURLToPath(new URL("../../../prisma/schema/", import.meta.url));
  const names = (await readdir(folder)).filter((name) => name.endsWith(".prisma")).sort();
  return Promise.all(names.map(async (name) => ({ path: join(folder, name), content: await readFile(join(folder, name), "utf8") })));
}

let loaded: Promise<void> | undefined;

/** Node cannot import .wasm files by itself: load the bytes and hand them to the generated glue. */
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
 * What Prisma's own engine would change so that the database matches the schema: SQL, "" or a comment when they agree.
 * `url` null = from an empty database. The engine (WebAssembly) is an internal prerelease: for tests and development.
 */
export async function diffSchema(url: string | null, adapterUrl: string = url ?? ""): Promise<string> {
  loaded ??= load();
  await loaded;
  const schema = await readPrismaSchema();
  const adapter = bindMigrationAwareSqlAdapterFactory(new PrismaPg({ connectionString: adapterUrl }));
  const engine = await engineModule.SchemaEngine.new({ datamodels: schema.map(({ path, content }) => [path, content]) }, () => {}, adapter);
  try {
    const result = await engine.diff({
      from: url === null ? { tag: "empty" } : { tag: "schemaDatasource", files: schema, configDir: "" },
      to: { tag: "schemaDatamodel", files: schema },
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    });
    return result.stdout ?? "";
  } finally {
    engine.free();
  }
}
