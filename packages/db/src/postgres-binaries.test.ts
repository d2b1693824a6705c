import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { completeLibraryLinks, copyPostgresBinaries, findPostgresBinaries } from "./postgres-binaries.ts";

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "sluice-binaries-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe("PostgreSQL's binaries", () => {
  it("run from a copy, which is made once even by two at a time", async () => {
    const binaries = await findPostgresBinaries();
    const copies = await Promise.all([copyPostgresBinaries(binaries, dir), copyPostgresBinaries(binaries, dir)]);
    expect(copies[0]?.native).toBe(copies[1]?.native);
    expect(await readdir(dir)).toHaveLength(1);
    const { stdout } = await promisify(execFile)(join(copies[0]?.native ?? "", "bin", "initdb"), ["--version"]);
    expect(stdout).toMatch(/PostgreSQL\) 18\./);
  });

  it("get the library links that the package's install script was not allowed to make", async () => {
    await mkdir(join(dir, "native", "lib"), { recursive: true });
    await writeFile(join(dir, "native", "lib", "libpq.so.5.18"), "");
    const list = [{ source: "native/lib/libpq.so.5.18", target: "native/lib/libpq.so.5" }];
    await writeFile(join(dir, "native", "pg-symlinks.json"), JSON.stringify(list));
    await completeLibraryLinks(dir);
    await completeLibraryLinks(dir);
    expect(await readlink(join(dir, "native", "lib", "libpq.so.5"))).toBe("libpq.so.5.18");
  });
});
