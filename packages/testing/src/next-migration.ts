import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkoutDir } from "./checkout.ts";
import { createTestDatabase, stopTestServices } from "./postgres.ts";
import { diffSchema } from "./schema-diff.ts";

// `node packages/testing/src/next-migration.ts <name>` writes a migration from the existing migrations to the current Prisma schema.
// Review and complete it by hand before committing, and add rows and queries of the version before (prisma/upgrades).
const name = process.argv[2] ?? "";
if (!/^[a-z0-9_]+$/.test(name)) throw new Error("Name the migration: lower-case letters, digits and _.");

const database = await createTestDatabase();
const sql = await diffSchema(database.url).finally(() => database.drop());
await stopTestServices();

if (!/^(?!--)\S/m.test(sql)) {
  process.stdout.write("The schema and the migrations agree: nothing to write.\n");
} else {
  const stamp = new Date().toISOString().replaceAll(/\D/g, "").slice(0, 14);
  const folder = join(checkoutDir, "prisma", "migrations", `${stamp}_${name}`);
  await mkdir(folder);
  await writeFile(join(folder, "migration.sql"), sql);
  process.stdout.write(`${folder}/migration.sql\n`);
}
