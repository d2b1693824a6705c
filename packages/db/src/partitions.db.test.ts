import { firstIdAt, newId } from "@sluice/core/ids";
import { idAt, makeRequestDetail, makeRequestRow } from "@sluice/testing/factories";
import type { TestDatabase } from "@sluice/testing/postgres";
import { createTestDatabase } from "@sluice/testing/postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { spanAt } from "./partition-ranges.ts";
import { ensurePartitionFor, ensurePartitions, listPartitions, partitionName } from "./partitions.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const june = Date.UTC(2030, 5, 15);

describe("partitions", () => {
  it("H12: those of this month and the next two are there before they are needed, for rows and details, once", async () => {
    const made = await ensurePartitions(database.pool, { nowMs: june });
    expect(made).toHaveLength(6);
    expect(made).toContain("requests_2030_06");
    expect(made).toContain("request_details_2030_08");
    expect(await ensurePartitions(database.pool, { nowMs: june })).toEqual([]);
    expect(await ensurePartitions(database.pool, { nowMs: june, ahead: 3, back: 1 })).toEqual([
      ...["requests_2030_05", "requests_2030_09", "request_details_2030_05", "request_details_2030_09"],
    ]);
  });

  it("are weeks once the setting says so, from where the months end, and months again from where the weeks end", async () => {
    const january = Date.UTC(2027, 0, 20);
    await ensurePartitions(database.pool, { nowMs: january, ahead: 0 });
    const setting = { tenantId: "default", name: "ledger.partitions" };
    await database.prisma.setting.create({ data: { ...setting, value: "weekly" } });
    const weekly = await ensurePartitions(database.pool, { nowMs: january });
    expect(weekly.filter((name) => name.startsWith("requests_2"))).toEqual(["requests_2027_02_01"]);
    expect(await ensurePartitions(database.pool, { nowMs: Date.UTC(2027, 1, 3) })).toContain("requests_2027_02_15");
    await database.prisma.setting.delete({ where: { tenantId_name: setting } });
    expect(await ensurePartitions(database.pool, { nowMs: Date.UTC(2027, 1, 3), ahead: 1 })).toEqual([
      ...["requests_2027_02_22", "requests_2027_03", "request_details_2027_02_22", "request_details_2027_03"],
    ]);
    const ranges = (await listPartitions(database.pool)).filter(
      ({ table, fromMs }) => table === "requests" && fromMs >= Date.UTC(2027, 0, 1),
    );
    const year = ranges.filter(({ toMs }) => toMs <= Date.UTC(2027, 3, 1));
    expect(year.map(({ toMs }) => toMs).slice(0, -1)).toEqual(year.map(({ fromMs }) => fromMs).slice(1));
  });

  it("H12: a month of weekly partitions is read from its weeks alone", async () => {
    const { rows } = await database.pool.query<{ "QUERY PLAN": string }>(
      `EXPLAIN SELECT count(*) FROM requests WHERE id >= '${firstIdAt(Date.UTC(2027, 1, 8))}' AND id < '${firstIdAt(Date.UTC(2027, 1, 15))}'`,
    );
    const read = rows
      .map((row) => row["QUERY PLAN"])
      .join("\n")
      .match(/requests_\d+(_\d+)+/g);
    expect(new Set(read)).toEqual(new Set(["requests_2027_02_08"]));
  });

  it("are made once by many at the same time, also over the end of a year", async () => {
    const december = Date.UTC(2031, 11, 31, 23, 59, 59, 999);
    const results = await Promise.all(Array.from({ length: 5 }, () => ensurePartitions(database.pool, { nowMs: december })));
    expect(results.flat()).toHaveLength(6);
    expect(results.flat()).toContain("requests_2032_02");
  });

  it("hold the first and the last id of their month", async () => {
    const start = Date.UTC(2030, 5, 1);
    for (const [ms, month] of [
      [start, "requests_2030_06"],
      [start - 1, "requests_2030_05"],
    ] as const) {
      const { id } = await makeRequestRow(database.pool, { startedAtMs: ms });
      const { rows } = await database.pool.query<{ name: string }>("SELECT tableoid::regclass::text AS name FROM requests WHERE id = $1", [
        id,
      ]);
      expect(rows).toEqual([{ name: `partitions.${month}` }]);
    }
  });

  it("H12: a month is read from its partition alone", async () => {
    const { rows } = await database.pool.query<{ "QUERY PLAN": string }>(
      `EXPLAIN SELECT id FROM requests WHERE id >= '${firstIdAt(Date.UTC(2030, 5, 1))}' AND id < '${firstIdAt(Date.UTC(2030, 6, 1))}' ORDER BY id DESC LIMIT 50`,
    );
    const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
    expect(new Set(plan.match(/requests_\d+_\d+/g))).toEqual(new Set(["requests_2030_06"]));
  });

  it("there is none by default: a row of a month without one is an error until it is made", async () => {
    const id = idAt(Date.UTC(2019, 0, 5));
    await expect(makeRequestDetail(database.pool, { id })).rejects.toThrow(/no partition of relation "request_details" found/);
    expect(await ensurePartitionFor(database.pool, id)).toEqual(["requests_2019_01", "request_details_2019_01"]);
    expect(await ensurePartitionFor(database.pool, id)).toEqual([]);
    await makeRequestDetail(database.pool, { id });
  });

  it("are not made for what is no id or comes from a broken clock", async () => {
    await expect(ensurePartitionFor(database.pool, "x'; DROP TABLE requests")).rejects.toThrow(/it is no UUIDv7/);
    await expect(ensurePartitionFor(database.pool, firstIdAt(Date.UTC(2500, 0, 1)))).rejects.toThrow(/clock/);
  });
});

describe("the ledger is append-only", () => {
  it("rows cannot be updated, deleted or truncated, whether through the table or a partition", async () => {
    const { id } = await makeRequestRow(database.pool, { id: newId() });
    const partition = `partitions.${partitionName("requests", spanAt(Date.now(), "monthly"))}`;
    for (const table of ["requests", partition]) {
      await expect(database.pool.query(`UPDATE ${table} SET cost_nano_usd = 0`)).rejects.toThrow(/UPDATE is forbidden/);
      await expect(database.pool.query(`DELETE FROM ${table} WHERE id = $1`, [id])).rejects.toThrow(/DELETE is forbidden/);
      await expect(database.pool.query(`TRUNCATE ${table}`)).rejects.toThrow(/TRUNCATE is forbidden/);
    }
    expect((await database.pool.query("SELECT 1 FROM requests WHERE id = $1", [id])).rowCount).toBe(1);
  });

  it("audit entries cannot change and a price version stays as it was", async () => {
    await database.prisma.auditEntry.create({
      data: { id: newId(), actorId: "", actorKind: "boot", action: "test", targetKind: "none", targetId: "" },
    });
    await expect(database.pool.query("UPDATE audit_entries SET action = 'other'")).rejects.toThrow(/forbidden/);
    await expect(database.pool.query("DELETE FROM audit_entries")).rejects.toThrow(/forbidden/);
    const price = await database.prisma.price.create({
      data: { id: newId(), model: "m", inputPerMTok: "1", outputPerMTok: "2", source: "test" },
    });
    await expect(database.pool.query("UPDATE prices SET input_per_mtok = 0 WHERE id = $1", [price.id])).rejects.toThrow(/forbidden/);
  });
});
