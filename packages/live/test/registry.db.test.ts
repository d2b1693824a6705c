import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { FINAL_REV, LOST_REV } from "@sluice/core/events";
import { newId } from "@sluice/core/ids";
import { fakeClock } from "@sluice/testing/clock";
import { until } from "@sluice/testing/deadline";
import { requestDetail, requestRow, uniqueName } from "@sluice/testing/factories";
import { Redis } from "ioredis";
import { afterEach, describe, expect, it } from "vitest";
import { arrived, connected, eachTwin, rowInFlight, type Stage, useRedis, useStage, watch } from "./arrange.ts";

const redis = useRedis();
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** Another process, which has three requests in flight or has ended them properly. */
async function startOwner(stage: Stage, instanceId: string, then: "stay" | "close"): Promise<ChildProcess> {
  const args = [fileURLToPath(new URL("./owner.ts", import.meta.url)), stage.redisUrl ?? "", stage.prefix, instanceId, then];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  await once(child.stdout ?? child, "data");
  return child;
}

eachTwin("registry", (stage) => {
  it("keeps a request from its start until its row is committed, newest first", async () => {
    const live = await connected(stage().open());
    const ids = Array.from({ length: 5 }, () => newId());
    for (const id of ids) live.registry.started(rowInFlight({ id }));
    expect(live.registry.inFlight()).toBe(5);
    expect((await live.registry.list()).map(({ id }) => id)).toEqual([...ids].reverse());
    const [, second = "", third = "", fourth = ""] = ids;
    expect((await live.registry.list({ before: fourth, after: second })).map(({ id }) => id)).toEqual([third]);
    expect((await live.registry.list({ limit: 2 })).map(({ id }) => id)).toEqual([ids[4], fourth]);

    const row = requestRow({ id: third });
    live.registry.finished(row, requestDetail({ id: third }));
    expect(live.registry.inFlight()).toBe(4);
    expect(await live.registry.find(third)).toEqual({ row, detail: requestDetail({ id: third }) });
    expect(await live.registry.find(fourth)).toMatchObject({ row: { state: "in_flight" }, detail: null });
    const fifth = requestRow({ id: ids[4] });
    live.registry.finished(fifth, Buffer.from(JSON.stringify(requestDetail({ id: fifth.id }))));
    expect(await live.registry.find(fifth.id), "a detail that came as JSON").toEqual({
      row: fifth,
      detail: requestDetail({ id: fifth.id }),
    });
    live.registry.settled([third]);
    expect(await live.registry.find(third)).toBeNull();
    expect(await live.registry.list()).toHaveLength(4);
  });

  it("drops a request that was committed before its end was heard of, after announcing the end", async () => {
    const live = await connected(stage().open());
    const viewer = await arrived(watch(live));
    const row = rowInFlight();
    live.registry.started(row);
    live.registry.settled([row.id, newId()]);
    expect(live.registry.inFlight()).toBe(1);
    live.registry.finished({ ...row, state: "done" }, requestDetail({ id: row.id }));
    expect(live.registry.inFlight()).toBe(0);
    expect(await live.registry.list()).toEqual([]);
    await until(() => viewer.events().some(({ type }) => type === "request.finished"), { what: "its end" });
  });

  it("announces each step once: rev 0, then rising, then final; nothing after the end", async () => {
    const live = await connected(stage().open());
    const viewer = await arrived(watch(live));
    const row = rowInFlight();
    live.registry.started(row);
    live.registry.started(row);
    live.registry.progressed({ ...row, ttftMs: 10 });
    await until(() => viewer.events().some(({ type }) => type === "request.progressed"), { what: "first content" });
    live.registry.finished({ ...row, state: "done" }, requestDetail({ id: row.id }));
    live.registry.finished({ ...row, state: "error" }, requestDetail({ id: row.id }));
    live.registry.progressed({ ...row, ttftMs: 11 });
    live.registry.progressed(rowInFlight());
    const refused = requestRow({ state: "refused", status: 429, billable: false });
    live.registry.finished(refused, requestDetail({ id: refused.id }));
    await until(() => viewer.events().some(({ type }) => type === "request.refused"), { what: "the refusal" });
    const revs = viewer.events().flatMap((event) => ("rev" in event && event.row.id === row.id ? [event.rev] : []));
    expect(revs.at(-1)).toBe(FINAL_REV);
    expect([...revs].sort((a, b) => a - b)).toEqual(revs);
    expect(viewer.events().filter((event) => event.type === "request.finished")).toHaveLength(1);
    expect(live.registry.inFlight()).toBe(0);
  });

  it("publishes progress at most every 200 ms a request, and the last one always", async () => {
    const clock = fakeClock();
    const live = await connected(stage().open({ clock }));
    const viewer = await arrived(watch(live));
    const row = rowInFlight();
    live.registry.started(row);
    for (let i = 1; i <= 100; i += 1) live.registry.progressed({ ...row, ttftMs: i });
    await until(() => viewer.events().some((event) => "rev" in event && event.row.ttftMs === 100), { what: "the last state" });
    const progress = viewer.events().filter(({ type }) => type === "request.progressed");
    expect(progress.length).toBeLessThanOrEqual(2);
    expect(await live.registry.find(row.id)).toMatchObject({ row: { ttftMs: 100 } });
  });

  it("shows finished requests of the spool again after a restart, and tells viewers that they ended", async () => {
    const live = await connected(stage().open());
    const viewer = await arrived(watch(live));
    const finishes = Array.from({ length: 3 }, () => requestRow()).map((row) => ({ row, detail: requestDetail({ id: row.id }) }));
    live.registry.restore(finishes);
    expect((await live.registry.list()).map(({ id }) => id)).toEqual(finishes.map(({ row }) => row.id).reverse());
    expect(live.registry.inFlight()).toBe(0);
    await until(() => viewer.events().length === 3, { what: "their end" });
    live.registry.settled(finishes.map(({ row }) => row.id));
    expect(await live.registry.list()).toEqual([]);
  });

  it("keeps the rows of very many unsettled requests, and the details of the newest", async () => {
    const live = stage().open();
    const rows = Array.from({ length: 5_010 }, () => requestRow());
    for (const row of rows) live.registry.finished(row, requestDetail({ id: row.id }));
    expect((await live.registry.list()).length).toBe(5_010);
    expect(await live.registry.find(rows[0]?.id ?? "")).toEqual({ row: rows[0], detail: null });
    expect((await live.registry.find(rows.at(-1)?.id ?? ""))?.detail).not.toBeNull();
  });
});

describe("registry over processes", () => {
  const stage = useStage(true);

  it("shows every row to the other process before its event arrives, with detail, until it is settled", async () => {
    const [owner, reader] = [await connected(stage().open()), await connected(stage().open())];
    const viewer = await arrived(watch(reader));
    for (let i = 0; i < 20; i += 1) {
      const row = rowInFlight();
      owner.registry.started(row);
      await until(() => viewer.events().length === i + 1, { what: "the start is heard", everyMs: 1 });
      expect(await reader.registry.find(row.id)).toMatchObject({ row: { id: row.id } });
      const listed = (await reader.registry.list()).map(({ id }) => id);
      expect(listed[0], "a list is never older than the events before it").toBe(row.id);
    }
    expect(reader.registry.inFlight()).toBe(0);
    await until(async () => (await reader.registry.list()).length === 20, { what: "all are listed" });
    const [newest] = await owner.registry.list();
    const row = requestRow({ id: newest?.id });
    owner.registry.finished(row, requestDetail({ id: row.id, path: "/v1/there" }));
    await until(async () => (await reader.registry.find(row.id))?.detail?.path === "/v1/there", { what: "the detail" });
    expect((await reader.registry.list({ after: row.id })).length).toBe(0);
    const left = await owner.registry.list();
    for (const each of left) owner.registry.finished({ ...each, state: "done" }, requestDetail({ id: each.id }));
    owner.registry.settled(left.map(({ id }) => id));
    await until(async () => (await reader.registry.list()).length === 0, { what: "nothing is left" });
    expect(await reader.registry.find(row.id)).toBeNull();
  });

  it("shows what a killed process had in flight as lost; its next start removes that and restores what it had finished", async () => {
    const s = stage();
    const instanceId = uniqueName("owner");
    const reader = await connected(s.open());
    const owner = await startOwner(s, instanceId, "stay");
    await until(async () => (await reader.registry.list()).length === 3, { what: "its rows" });
    await until(async () => (await reader.sessions.list())[0]?.inFlight === 3, { what: "its session" });
    await until(async () => (await reader.figures.list())[0]?.inFlight === 3, { what: "its figures" });
    const [first] = await reader.registry.list();
    const viewer = await arrived(watch(reader));
    const told = (type: string) => viewer.events().filter((event) => event.type === type);
    owner.kill("SIGKILL");
    await once(owner, "exit");

    // Simulates ten seconds without a heartbeat.
    const client = new Redis(redis().url);
    const [life = ""] = await client.zrange(`${s.prefix}instances`, "0", "-1");
    await client.zincrby(`${s.prefix}instances`, -10_001, life);
    await until(async () => (await reader.registry.list()).every(({ state }) => state === "lost"), { what: "they are lost" });
    expect(await reader.registry.list()).toHaveLength(3);
    expect(await reader.registry.find(first?.id ?? "")).toMatchObject({ row: { id: first?.id, state: "lost" }, detail: null });
    expect((await reader.sessions.list())[0]?.inFlight).toBe(0);
    expect((await reader.figures.list())[0]?.inFlight).toBe(0);
    // The same by push, once the next heartbeat is overdue.
    await until(() => told("request.lost").length === 3, { what: "viewers hear of it", deadlineMs: 60_000 });
    expect(told("request.lost")).toMatchObject(Array.from({ length: 3 }, () => ({ rev: LOST_REV, row: { state: "lost" } })));
    await until(() => viewer.events().some((event) => event.type === "session.updated" && event.row.inFlight === 0), {
      what: "its session",
    });
    await until(() => viewer.events().some((event) => event.type === "provider.measured" && event.health.inFlight === 0), {
      what: "its provider",
    });

    const again = await connected(s.open({ instanceId }));
    expect(await again.registry.list(), "until recovery has run").toHaveLength(3);
    const row = requestRow({ id: first?.id });
    again.registry.restore([{ row, detail: requestDetail({ id: row.id }) }]);
    const listed = async (): Promise<string> => (await reader.registry.list()).map(({ state }) => state).join();
    await until(async () => (await listed()) === "done", { what: "the finished one is back, and alone" });
    await until(async () => (await reader.registry.find(row.id))?.detail, { what: "its detail" });
    expect(await reader.registry.find(row.id)).toMatchObject({ row: { state: "done" }, detail: { id: row.id } });
    await until(() => told("request.finished").length > 0, { what: "viewers hear of its end" });
    expect(told("request.finished")).toMatchObject([{ rev: FINAL_REV, row: { id: row.id, state: "done" } }]);
    await until(async () => (await client.hlen(`${s.prefix}registry:${instanceId}`)) === 1, { what: "the others are cleared" });
    expect(await client.zrange(`${s.prefix}instances`, "0", "-1")).not.toContain(life);
    client.disconnect();
  });

  it("lets another process take over what a killed one left", async () => {
    const s = stage();
    const reader = await connected(s.open());
    const owner = await startOwner(s, uniqueName("owner"), "stay");
    await until(async () => (await reader.registry.list()).length === 3, { what: "its rows" });
    const rows = await reader.registry.list();
    owner.kill("SIGKILL");
    await once(owner, "exit");
    const client = new Redis(redis().url);
    const [life = ""] = await client.zrange(`${s.prefix}instances`, "0", "-1");
    await client.zincrby(`${s.prefix}instances`, -10_001, life);
    client.disconnect();
    await until(async () => (await reader.registry.list())[0]?.state === "lost", { what: "they are lost" });

    const adopter = await connected(s.open());
    const [first, second, third] = rows.map((row) => ({ row: { ...row, state: "error" as const }, detail: requestDetail({ id: row.id }) }));
    if (!first || !second || !third) throw new Error("three rows were listed");
    adopter.registry.restore([first, second]);
    await until(async () => (await reader.registry.list()).filter(({ state }) => state === "error").length === 2, {
      what: "two are recovered",
    });
    // The end of the third was already in the spool: nothing is heard of it until it is settled.
    adopter.registry.settled([first.row.id, second.row.id, third.row.id]);
    await until(async () => (await reader.registry.list()).length === 0, { what: "Postgres has them all" });
  });

  it("continues with revisions above the loss when it was only silent", async () => {
    const s = stage();
    const [owner, reader] = [await connected(s.open()), await connected(s.open())];
    const viewer = await arrived(watch(reader));
    const row = rowInFlight();
    owner.registry.started(row);
    await until(() => viewer.events().length > 0, { what: "its start" });
    const client = new Redis(redis().url);
    const [life = ""] = await client.zrange(`${s.prefix}instances`, "0", "-1");
    // As an instance sees it that missed the heartbeats; the next heartbeat, at most 3 s later, proves the opposite.
    await client.sadd(`${s.prefix}instances:lost`, life);
    client.disconnect();
    await until(() => viewer.events().some((event) => event.type === "request.progressed" && event.rev > LOST_REV), {
      what: "it is back",
      deadlineMs: 20_000,
    });
    expect((await reader.registry.list())[0]?.state).toBe("in_flight");
    owner.registry.finished({ ...row, state: "done" }, requestDetail({ id: row.id }));
    await until(() => viewer.events().some(({ type }) => type === "request.finished"), { what: "its end" });
  });

  it("keeps its rows in Redis for a day after its last beat: no longer, and no shorter while it lives", async () => {
    const live = await connected(stage().open({ instanceId: "steady" }));
    const [key, client] = [`${stage().prefix}registry:steady`, new Redis(redis().url)];
    live.registry.started(rowInFlight());
    await until(async () => (await client.ttl(key)) > 0, { what: "an expiry" });
    await client.expire(key, 1_000);
    await until(async () => (await client.ttl(key)) > 86_000, { what: "it is put off" });
    client.disconnect();
  });

  it("writes everything again when Redis comes back empty", async () => {
    const [owner, reader] = [await connected(stage().open()), await connected(stage().open())];
    const rows = Array.from({ length: 450 }, () => rowInFlight());
    for (const row of rows) owner.registry.started(row);
    await until(async () => (await reader.registry.list()).length === 450, { what: "all" });
    await redis().kill();
    await until(async () => (await reader.registry.list()).length === 0, { what: "the reader knows none" });
    expect(await owner.registry.list()).toHaveLength(450);
    expect(await reader.registry.find(rows[0]?.id ?? "")).toBeNull();
    await redis().restart();
    await until(async () => (await reader.registry.list()).length === 450, { what: "all again" });
  });

  it("writes everything again after FLUSHALL, at the next beat", async () => {
    const [owner, reader] = [await connected(stage().open()), await connected(stage().open())];
    owner.registry.started(rowInFlight());
    await until(async () => (await reader.registry.list()).length === 1, { what: "the row" });
    const client = new Redis(redis().url);
    await client.flushall();
    client.disconnect();
    await until(async () => (await reader.registry.list()).length === 0, { what: "nothing" });
    await until(async () => (await reader.registry.list()).length === 1, { what: "the row again", deadlineMs: 20_000 });
  });

  it.each(["memory", "redis"])("leaves nothing behind that keeps a process alive (%s)", async (twin) => {
    const s = twin === "redis" ? stage() : { ...stage(), redisUrl: null };
    const owner = await startOwner(s, uniqueName("owner"), "close");
    const [code] = await once(owner, "exit", { signal: AbortSignal.timeout(20_000) });
    expect(code).toBe(0);
  });
});
