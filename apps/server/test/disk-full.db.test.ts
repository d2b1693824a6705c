import { execFileSync } from "node:child_process";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { checkInvariants } from "@sluice/ledger/check";
import { clientKey, configure, oneProvider } from "@sluice/testing/config-file";
import { until } from "@sluice/testing/deadline";
import { callModel, type ModelCall, type Seen } from "@sluice/testing/model-client";
import { freePort } from "@sluice/testing/ports";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { makeDataDir, type ServerProcess, startServer, type TestDataDir } from "@sluice/testing/server-process";
import { startUpstream, type Upstream } from "@sluice/upstream/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { awaitRest, healthOf, openStream } from "./arrange.ts";
import { openConsole } from "./console-client.ts";

/** A separate disk for the spool that can be made to fail. */
interface Disk {
  refuse(): Promise<void>;
  heal(): Promise<void>;
  remove(): void;
}

/**
 * A small file system that is filled up, where mounting is allowed; otherwise a directory that is missing when the next segment is created.
 */
async function diskOf(spoolDir: string): Promise<Disk> {
  await mkdir(spoolDir, { recursive: true, mode: 0o700 });
  if (!mountSmall(spoolDir)) {
    const own = async (): Promise<string> => join(spoolDir, (await directoriesIn(spoolDir))[0] ?? "");
    return {
      refuse: async () => rename(await own(), `${await own()}-away`),
      heal: async () => rename(await own(), (await own()).replace(/-away$/, "")),
      remove: () => undefined,
    };
  }
  const filler = join(spoolDir, "filler");
  let release = async (): Promise<void> => undefined;
  return {
    async refuse() {
      release = await keepFull(filler);
    },
    async heal() {
      await release();
      await rm(filler, { force: true });
    },
    remove: () => execFileSync("umount", ["--lazy", spoolDir]),
  };
}

function mountSmall(path: string): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", path], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

async function directoriesIn(dir: string): Promise<string[]> {
  return (await readdir(dir, { withFileTypes: true })).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}

/** Fills the file system to the last byte, and again when something is removed: the spool discards settled segments. */
async function keepFull(path: string): Promise<() => Promise<void>> {
  const file = await open(path, "w");
  const fill = async (): Promise<void> => {
    for (const size of [64 * 1024, 4096, 1]) while (await file.write(Buffer.alloc(size)).catch(() => null));
  };
  await fill();
  let isFull = true;
  const filling = (async () => {
    for (; isFull; await sleep(1)) await fill();
    await file.close();
  })();
  return () => {
    isFull = false;
    return filling;
  };
}

const models = { "claude-quick": "plain,6", "claude-slow": "plain,60+slow,50" };
const quick: ModelCall = { dialect: "anthropic", model: "claude-quick", stream: true, key: clientKey };

let database: TestDatabase;
let upstream: Upstream;
let dataDir: TestDataDir;
let disk: Disk;
let server: ServerProcess;
beforeAll(async () => {
  database = await createTestDatabase();
  dataDir = makeDataDir();
  upstream = await startUpstream({ oraclePath: join(dataDir.path, "oracle.jsonl") });
  disk = await diskOf(join(dataDir.path, "spool"));
  // Segments so small that a new one is needed soon.
  const env = { ...(await configure(dataDir.path, upstream, oneProvider(models))), SLUICE_SEGMENT_BYTES: "8192" };
  server = await startServer({
    dataDir: dataDir.path,
    port: await freePort(),
    env: { ...env, DATABASE_URL: database.url, REDIS_URL: "none" },
  });
});
afterAll(async () => {
  await disk?.heal().catch(() => undefined);
  await server?.stop();
  disk?.remove();
  await upstream?.stop();
  await database?.drop();
  await dataDir?.remove();
});

describe("the disk of the spool takes nothing more", () => {
  it("new requests get 503 before the upstream is asked, those in flight are settled, and it heals without a restart", async () => {
    const seen: Seen[] = [];
    const call = async (): Promise<Seen> => {
      const answer = await callModel(server.url, quick);
      seen.push(answer);
      return answer;
    };
    for (let n = 0; n < 5; n++) expect((await call()).outcome).toBe("complete");
    const inFlight = await openStream(upstream, server, "claude-slow");

    await disk.refuse();
    // What still fits into the open segment may be acknowledged: it is on the disk.
    const refused = await until(async () => [await call()].find(({ status }) => status !== 200), { what: "a request is refused" });
    expect(refused.status).toBe(503);
    expect(JSON.parse(refused.text)).toMatchObject({
      type: "error",
      error: { type: expect.any(String), message: expect.stringMatching(/./) },
    });
    expect(await healthOf(server)).toMatchObject({ spool: { status: expect.not.stringMatching("ok") } });
    expect((await fetch(`${server.url}/health/ready`)).status).toBe(503);
    for (let n = 0; n < 10; n++) expect((await call()).status).toBe(503);

    // There is no room on the disk for its end: the row makes it durable.
    const ended = await inFlight.end;
    seen.push(ended);
    expect(ended.outcome).toBe("complete");
    const { rows } = await database.pool.query("SELECT state FROM requests WHERE id = $1", [ended.id]);
    expect(rows).toEqual([{ state: "done" }]);

    await disk.heal();
    await until(async () => (await fetch(`${server.url}/health/ready`)).ok, { what: "it is ready again" });
    for (let n = 0; n < 5; n++) expect((await call()).outcome).toBe("complete");

    await awaitRest(server, await openConsole(server.url));
    const reached = new Set(upstream.oracle().map(({ id }) => id));
    expect(seen.filter(({ status, id }) => status === 503 && reached.has(id))).toEqual([]);
    const clientLog = seen.map((line) => ({ ...line, outcome: line.status === 503 ? ("refused" as const) : line.outcome }));
    expect(await checkInvariants({ oraclePath: join(dataDir.path, "oracle.jsonl"), pool: database.pool, clientLog })).toEqual([]);
  });
});
