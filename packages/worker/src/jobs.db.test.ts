import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "@sluice/core/clock";
import { newId } from "@sluice/core/ids";
import { defaultSettings } from "@sluice/core/inputs/settings";
import { silentLog } from "@sluice/core/log";
import { fakeClock } from "@sluice/testing/clock";
import { until } from "@sluice/testing/deadline";
import { makeLogin, makeProvider } from "@sluice/testing/factories";
import type { TestDatabase } from "@sluice/testing/postgres";
import { createTestDatabase } from "@sluice/testing/postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startWorker } from "./jobs.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe("the worker", () => {
  it("makes partitions ahead and removes the logins that are over, as soon as it starts", async () => {
    const clock = fakeClock(Date.UTC(2033, 0, 10));
    const over = await makeLogin(database.prisma, { expiresAt: new Date(clock.now() - 1) });
    const valid = await makeLogin(database.prisma, { expiresAt: new Date(clock.now() + 1) });
    const worker = startWorker({ pool: database.pool, log: silentLog, clock });

    await until(() => Object.values(worker.stats()).every((job) => job.runs === 1), { what: "every job has run" });
    await worker.stop();

    expect(Object.values(worker.stats()).every((job) => job.failures === 0)).toBe(true);
    expect(await database.prisma.login.findMany({ select: { id: true } })).toEqual([{ id: valid.login.id }]);
    expect(over.login.id).not.toBe(valid.login.id);
    const { rows } = await database.pool.query("SELECT to_regclass('partitions.requests_2033_03') IS NOT NULL AS there");
    expect(rows).toEqual([{ there: true }]);
  });

  it("destroys the secrets of providers that were deleted a day ago, and no others", async () => {
    const clock = fakeClock(Date.UTC(2033, 0, 10));
    const hourMs = 3_600_000;
    const [old, fresh, kept] = await Promise.all(
      [new Date(clock.now() - 25 * hourMs), new Date(clock.now() - 23 * hourMs), null].map((deletedAt) =>
        makeProvider(database.prisma, { deletedAt, credentials: [{ label: "spare", weight: 1, secret: "sealed" }], proxy: "sealed" }),
      ),
    );
    const worker = startWorker({ pool: database.pool, log: silentLog, clock });
    await until(() => worker.stats()["destroy-deleted-secrets"]?.runs === 1, { what: "the job has run" });
    await worker.stop();
    const secretOf = async (id = "") => (await database.prisma.provider.findUnique({ where: { id } }))?.secret;
    expect(await secretOf(old?.id)).toBe("");
    expect(await database.prisma.provider.findUnique({ where: { id: old?.id ?? "" } })).toMatchObject({ credentials: [], proxy: "" });
    expect(await database.prisma.provider.findUnique({ where: { id: fresh?.id ?? "" } })).toMatchObject({ proxy: "sealed" });
    expect([await secretOf(fresh?.id), await secretOf(kept?.id)]).toEqual([fresh?.secret, kept?.secret]);
  });

  it("runs the jobs of other rooms beside its own, and survives a database that is away", async () => {
    let ran = 0;
    const away = await createTestDatabase({ empty: true });
    const logged: string[] = [];
    const worker = startWorker({
      pool: away.pool,
      log: { ...silentLog, error: (_, message) => void logged.push(message) },
      jobs: [{ name: "from-elsewhere", everyMs: 1, atStart: true, run: async () => void ran++ }],
    });
    await until(() => ran > 2 && worker.stats()["ensure-partitions"]?.failures === 1, { what: "the other job goes on" });
    await worker.stop();
    expect(logged).toContain("The job ensure-partitions failed");
    await away.drop();
  });

  it("settles the finished requests of an instance that was killed", async () => {
    const dir = await mkdtemp(join(tmpdir(), "sluice-spool-"));
    const id = newId();
    const script = fileURLToPath(new URL("../test/finish-and-wait.ts", import.meta.url));
    const child = spawn(process.execPath, [script, dir, id], { stdio: ["pipe", "pipe", "inherit"] });
    await once(child.stdout, "data");
    const settled: string[] = [];
    const onSettled = (ids: readonly string[]) => settled.push(...ids);
    const options = { pool: database.pool, log: silentLog, clock: systemClock };
    const spool = { ...options, dir, settings: defaultSettings, ownInstanceId: "this-instance", onSettled };

    const early = startWorker({ ...options, spool });
    await until(() => early.stats()["adopt-spools"]?.runs === 1, { what: "the spools were looked at" });
    await early.stop();
    expect(settled, "a living instance keeps its spool").toEqual([]);

    child.kill("SIGKILL");
    await once(child, "exit");
    const worker = startWorker({ ...options, spool });
    await until(() => settled.includes(id), { what: "the dead instance's request is settled" });
    await worker.stop();
    expect(await database.prisma.request.count({ where: { id } })).toBe(1);
    await rm(dir, { recursive: true, force: true });
  });
});
