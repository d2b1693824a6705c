import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkoutDir } from "./checkout.ts";
import { createTestDatabase, stopTestServices } from "./postgres.ts";
import { diffSchema } from "./schema-diff.ts";

// `node packages/testing/src/next-migration.ts <name>`: writes the migration that takes the database from the migrations
// there are to the Prisma schema as it is now. To be read and completed by hand before it is committed, with the rows and
// queries of the version it follows (prisma/upgrades).
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
