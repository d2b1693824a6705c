import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "@sluice/core/log";
import { until } from "@sluice/testing/deadline";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createWatchedConfig, type WatchedConfig } from "./watched-config.ts";

let folder: string;
let config: WatchedConfig | null;
let applied: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-config-"));
  config = null;
  applied = [];
});
afterEach(async () => {
  config?.close();
  await rm(folder, { recursive: true });
});

async function watchFile(path: string): Promise<void> {
  config = createWatchedConfig({
    path: join(folder, path),
    async apply(text) {
      applied.push(text);
      return { created: [], updated: [], unchanged: 0, notes: [], secrets: [] };
    },
    onAttempt: () => undefined,
    log: silentLog,
  });
  await config.apply();
  config.watch();
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(join(folder, path, ".."), { recursive: true });
  await writeFile(join(folder, path), text);
}

/** In one step, as `ln -sfn` and Kubernetes do. */
async function link(path: string, target: string): Promise<void> {
  await mkdir(join(folder, path, ".."), { recursive: true });
  await symlink(target, join(folder, `${path}.new`));
  await rename(join(folder, `${path}.new`), join(folder, path));
}

const becomes = (text: string) => until(() => applied.at(-1) === text, { what: `"${text}" is applied`, deadlineMs: 20_000 });

describe("A21 the configuration file is watched wherever its path leads", () => {
  test("through a link that is set to a file of another folder, and edits there", async () => {
    await write("old/one.yaml", "one");
    await write("new/two.yaml", "two");
    await link("conf/sluice.yaml", "../old/one.yaml");
    await watchFile("conf/sluice.yaml");
    await write("old/one.yaml", "one, edited");
    await becomes("one, edited");
    await link("conf/sluice.yaml", "../new/two.yaml");
    await becomes("two");
    await write("new/two.yaml", "two, edited");
    await becomes("two, edited");
    // What no longer matters is not applied.
    await write("old/one.yaml", "one, edited again");
    await write("new/two.yaml", "two, edited again");
    await becomes("two, edited again");
    expect(applied).toEqual(["one", "one, edited", "two", "two, edited", "two, edited again"]);
  });

  test("through a link to a folder that is set to another one", async () => {
    await write("releases/1/sluice.yaml", "one");
    await write("releases/2/sluice.yaml", "two");
    await link("current", "releases/1");
    await watchFile("current/sluice.yaml");
    await link("current", "releases/2");
    await becomes("two");
    await write("releases/2/sluice.yaml", "two, edited");
    await becomes("two, edited");
  });

  test("as Kubernetes changes a ConfigMap, more than once", async () => {
    await write("conf/..1/sluice.yaml", "one");
    await link("conf/..data", "..1");
    await link("conf/sluice.yaml", "..data/sluice.yaml");
    await watchFile("conf/sluice.yaml");
    for (const version of ["2", "3"]) {
      await write(`conf/..${version}/sluice.yaml`, version);
      await link("conf/..data", `..${version}`);
      await becomes(version);
      await rm(join(folder, `conf/..${Number(version) - 1}`), { recursive: true });
    }
  });

  test("in a folder that another one takes the place of, and in one that was away", async () => {
    await write("conf/sluice.yaml", "one");
    await watchFile("conf/sluice.yaml");
    await write("conf.new/sluice.yaml", "two");
    await rename(join(folder, "conf"), join(folder, "conf.old"));
    await rename(join(folder, "conf.new"), join(folder, "conf"));
    await becomes("two");
    await write("conf/sluice.yaml", "two, edited");
    await becomes("two, edited");

    await rm(join(folder, "conf"), { recursive: true });
    await until(() => config?.state().problems[0] === "the file is gone", { what: "it is missed", deadlineMs: 20_000 });
    await write("conf/sluice.yaml", "three");
    await becomes("three");
    await write("conf/sluice.yaml", "three, edited");
    await becomes("three, edited");
  });
});
