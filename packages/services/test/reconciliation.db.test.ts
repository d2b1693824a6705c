import { newId } from "@sluice/core/ids";
import { noUsage } from "@sluice/core/requests";
import { beginReconciliation, isReconciling } from "@sluice/ledger/reconciliation";
import { settleBatch } from "@sluice/ledger/settle-batch";
import { getReconciliation } from "@sluice/services/reconciliations/get-reconciliation";
import { startReconciliation } from "@sluice/services/reconciliations/start-reconciliation";
import { until } from "@sluice/testing/deadline";
import { makeKey, requestDetail, requestRow } from "@sluice/testing/factories";
import { beforeEach, describe, expect, it } from "vitest";
import { startServices, type TestServices } from "./harness.ts";

let world: TestServices;
// Separate books for each test, because a difference stays in them.
beforeEach(async () => {
  world = await startServices();
  return () => world.close();
});

/** Three requests of a key that cost nothing and are correct. */
async function settle() {
  const { key } = await makeKey(world.database.prisma);
  const ends = [0, 1, 2].map(() => {
    const row = requestRow({ userId: key.userId, keyId: key.id, usage: noUsage, costNanoUsd: "0" });
    return { row, detail: requestDetail({ id: row.id, cost: null, priceId: null }), upstreamCostNanoUsd: "0" };
  });
  await settleBatch(world.database.pool, ends);
  return { key, ends };
}

async function check(ctx: Awaited<ReturnType<TestServices["as"]>>) {
  const { id } = await startReconciliation(ctx);
  const ended = await until(
    async () => {
      const newest = await getReconciliation(ctx);
      return newest?.id === id && newest.finishedAtMs !== null ? newest : null;
    },
    { what: "the check is over", deadlineMs: 60_000 },
  );
  return ended;
}

/** The check events published from now on. */
async function checksTold(ctx: Awaited<ReturnType<TestServices["as"]>>) {
  const leave = new AbortController();
  const after = await ctx.live.bus.position();
  const frames = ctx.live.frames.subscribe({ kind: "admin", userId: ctx.userId }, after, leave.signal)[Symbol.asyncIterator]();
  return {
    leave: () => leave.abort(),
    /** The next check that has ended. */
    async end() {
      for (let frame = await frames.next(); !frame.done; frame = await frames.next()) {
        const told = frame.value.events.flatMap((event) => (event.type === "reconciliation.changed" ? event.reconciliation : []));
        const end = told.find(({ state }) => state === "done");
        if (end) return end;
      }
      throw new Error("nothing more is told");
    },
  };
}

describe("a check of the books", () => {
  it("finds nothing in correct books; the audit names who started it, and its end is pushed", async () => {
    const admin = await world.as("admin");
    expect(await getReconciliation(admin)).toBeNull();
    await settle();
    const told = await checksTold(admin);
    const { id } = await startReconciliation(admin);
    // It is stored before it is announced.
    expect(await told.end()).toMatchObject({ id, state: "done", differences: [] });
    told.leave();
    const newest = await getReconciliation(admin);
    expect(newest).toMatchObject({ id, actorId: admin.userId, state: "done", unchecked: [], differences: [] });
    expect(newest?.stepsDone).toBe(newest?.steps);
    const entries = await world.database.prisma.auditEntry.findMany({ where: { targetKind: "ledger", targetId: id } });
    expect(entries).toMatchObject([{ action: "ledger.reconcile", actorId: admin.userId }]);
  });

  it("is running and then done, at whatever moment it is asked for", async () => {
    const admin = await world.as("admin");
    await settle();
    for (let round = 0; round < 10; round++) {
      const { id } = await startReconciliation(admin);
      const told = new Set<string>();
      while (!told.has("done") && !told.has("stopped")) {
        const newest = await getReconciliation(admin);
        expect(newest?.id).toBe(id);
        told.add(newest?.state ?? "");
      }
      expect([...told].at(-1)).toBe("done");
      await until(async () => !(await isReconciling(world.database.pool)), { what: "the next may begin" });
    }
  });

  it("lets a viewer of its end start the next", async () => {
    const admin = await world.as("admin");
    const told = await checksTold(admin);
    for (let round = 0; round < 5; round++) {
      const { id } = await startReconciliation(admin);
      expect((await told.end()).id).toBe(id);
    }
    told.leave();
  });

  it("names each figure that differs, where, what it should be and what it is, and repairs none", async () => {
    const admin = await world.as("admin");
    const { key } = await settle();
    const { pool } = world.database;
    await pool.query("UPDATE rollups_hour SET requests = requests + 4, cost_nano_usd = 5");
    await pool.query("UPDATE key_totals SET total_tokens = 7 WHERE key_id = $1", [key.id]);
    await pool.query("UPDATE accounts SET balance_nano_usd = 9 WHERE user_id = $1", [key.userId]);
    const wrong = requestRow({ costNanoUsd: "123", keyId: "", userId: "" });
    await settleBatch(pool, [{ row: wrong, detail: requestDetail({ id: wrong.id, cost: null, priceId: null }), upstreamCostNanoUsd: "0" }]);
    const { differences, state } = await check(admin);
    expect(state).toBe("done");
    const hour = { invariant: "I2", table: "rollups_hour", keyId: key.id, userId: key.userId };
    expect(differences.find(({ table, keyId }) => table === "rollups_hour" && keyId === key.id)).toMatchObject({
      ...hour,
      expected: "requests 3, cost_nano_usd 0",
      found: "requests 7, cost_nano_usd 5",
      bucketMs: expect.any(Number),
    });
    expect(differences.find(({ table }) => table === "key_totals")).toMatchObject({
      ...{ invariant: "I2", id: key.id, keyId: key.id },
      ...{ expected: "total_tokens 0", found: "total_tokens 7" },
    });
    expect(differences.find(({ table }) => table === "accounts")).toMatchObject({
      ...{ invariant: "I3", userId: key.userId, expected: "balance 0, held 0", found: "balance 9, held 0" },
    });
    expect(differences.find(({ table }) => table === "requests")).toMatchObject({
      ...{ invariant: "I5", requestId: wrong.id, expected: "nothing (no price or breakdown)", found: "123" },
    });
    expect(new Set(differences.map(({ table }) => table))).toEqual(
      new Set(["rollups_hour", "key_totals", "user_totals", "accounts", "requests"]),
    );
    expect((await pool.query("SELECT total_tokens FROM key_totals WHERE key_id = $1", [key.id])).rows[0].total_tokens).toBe("7");
  });

  it("runs once over all instances", async () => {
    const admin = await world.as("admin");
    const elsewhere = await beginReconciliation(world.database.pool, { nowMs: Date.now() });
    await expect(startReconciliation(admin)).rejects.toMatchObject({ code: "conflict" });
    elsewhere?.release();
    await until(() => check(admin).catch(() => null), { what: "it may run again" });
    await expect(startReconciliation(await world.as("user"))).rejects.toMatchObject({ code: "forbidden" });
  });

  it("gives up a statement that takes too long, names it and goes on", async () => {
    await settle();
    const { pool } = world.database;
    const client = await pool.connect();
    try {
      await client.query("BEGIN; LOCK TABLE rollups_hour IN ACCESS EXCLUSIVE MODE");
      const running = await beginReconciliation(pool, { nowMs: Date.now(), statementTimeoutMs: 2_000 });
      const result = await running?.run(async () => undefined, new AbortController().signal);
      await running?.end();
      const today = new Date().toISOString().slice(0, 10);
      expect(result?.unchecked).toContain(`rollups_hour ${today}`);
      // Recent totals equal those of their hours.
      expect(result?.unchecked.every((name) => /^(rollups_hour |(key|user)_totals$)/.test(name))).toBe(true);
      expect(result?.stepsDone).toBe(result?.steps);
    } finally {
      await client.query("ROLLBACK");
      client.release();
    }
  });

  it("is stopped with its process, and by the death of its process", async () => {
    const admin = await world.as("admin");
    const client = await world.database.pool.connect();
    try {
      await client.query("BEGIN; LOCK TABLE key_totals IN ACCESS EXCLUSIVE MODE");
      const { id } = await startReconciliation(admin);
      for (const end of world.services.streams) end();
      const hasEnded = async () => ((await getReconciliation(admin))?.finishedAtMs ?? null) !== null;
      await until(hasEnded, { what: "it has stopped" });
      expect(await getReconciliation(admin)).toMatchObject({ id, state: "stopped", stepsDone: 0 });
    } finally {
      await client.query("ROLLBACK");
      client.release();
    }
    const data = { id: newId(), startedAt: new Date(), actorId: "", state: "running", steps: 9, stepsDone: 3, differences: [] };
    await world.database.prisma.reconciliation.create({ data });
    // The lock of the earlier run is released with its connection.
    await until(async () => (await getReconciliation(admin))?.state === "stopped", { what: "nobody runs it" });
  });
});
