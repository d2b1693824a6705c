import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readOrMakeSecret } from "./data-dir.ts";

const run = promisify(execFile);
const script = fileURLToPath(new URL("../test/make-secret.ts", import.meta.url));

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "sluice-secret-"));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

describe("the secret of a data directory", () => {
  test("is the same for all that start first at the same time, and afterwards", async () => {
    const secrets = await Promise.all(Array.from({ length: 8 }, () => readOrMakeSecret(dataDir, null)));
    expect(new Set([...secrets, readFileSync(join(dataDir, "secret"), "utf8").trim(), await readOrMakeSecret(dataDir, null)]).size).toBe(1);
    expect(secrets[0]?.length).toBeGreaterThanOrEqual(40);
    expect(statSync(join(dataDir, "secret")).mode & 0o777).toBe(0o600);
    expect(readdirSync(dataDir)).toEqual(["secret"]);
  });

  test("is made by the next start when the disk of the first took nothing", async () => {
    // Every write fails, as on a full disk.
    const full = run("/bin/sh", ["-c", 'ulimit -f 0; exec "$0" "$1" "$2"', process.execPath, script, dataDir]);
    await expect(full).rejects.toThrow(/EFBIG/);
    const { stdout } = await run(process.execPath, [script, dataDir]);
    expect(stdout).toBe(await readOrMakeSecret(dataDir, null));
  });

  test("is not made anew where there is an empty one", async () => {
    writeFileSync(join(dataDir, "secret"), "\n");
    await expect(readOrMakeSecret(dataDir, null)).rejects.toThrow("is empty. Restore it from a backup");
  });
});
