import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { readMigrations } from "@sluice/db/migrate";

/** The repository's root. */
export const checkoutDir: string = fileURLToPath(new URL("../../../", import.meta.url));

/** Where test services keep their files between runs; git-ignored. */
export const testServicesDir: string = fileURLToPath(new URL("../../../.sluice-test/", import.meta.url));

/** The name of a template database: another set of migrations or another month (partitions) is another template. */
export async function templateKey(): Promise<string> {
  const hash = createHash("sha256").update(new Date().toISOString().slice(0, 7));
  for (const { name, checksum } of await readMigrations()) hash.update(`${name} ${checksum}\n`);
  return hash.digest("hex").slice(0, 12);
}
