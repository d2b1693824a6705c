import { newId } from "@sluice/core/ids";
import { getRequest } from "@sluice/ledger/query";
import { contextOf } from "@sluice/services/create-services";
import { dismissQuarantined } from "@sluice/services/quarantine/dismiss-quarantined";
import { getQuarantined } from "@sluice/services/quarantine/get-quarantined";
import { listQuarantine } from "@sluice/services/quarantine/list-quarantine";
import { releaseQuarantined } from "@sluice/services/quarantine/release-quarantined";
import { getSystem } from "@sluice/services/system/get-system";
import { requestDetail, requestRow } from "@sluice/testing/factories";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServices, type TestServices } from "./harness.ts";

let world: TestServices;
beforeAll(async () => {
  world = await startServices();
});
afterAll(() => world?.close());

/** A refused record as the settler stores it; `payload` for one that cannot be parsed. */
async function quarantine(fields: Parameters<typeof requestRow>[0] = {}, payload?: Buffer) {
  const row = requestRow(fields);
  const record = { row, detail: requestDetail({ id: row.id }), upstreamCostNanoUsd: "100" };
  const bytes = payload ?? Buffer.from(JSON.stringify(record));
  await world.database.pool.query(
    "INSERT INTO ledger_quarantine (id, request_id, payload, reason) VALUES ($1, $2, $3, 'refused by a test')",
    [row.id, row.id, bytes],
  );
  return row;
}

const audited = (id: string) =>
  world.database.prisma.auditEntry.findMany({ where: { targetKind: "quarantine", targetId: id }, orderBy: { id: "asc" } });

describe("a record that is released", () => {
  it("becomes its row, once, however often and wherever it is clicked", async () => {
    const admin = await world.as("admin");
    const row = await quarantine();
    const elsewhere = contextOf(world.services, admin.actor);
    const outcomes = await Promise.all([
      releaseQuarantined(admin, { id: row.id }),
      releaseQuarantined(elsewhere, { id: row.id }),
      releaseQuarantined(admin, { id: row.id }),
    ]);
    expect(outcomes).toEqual(Array(3).fill({ outcome: "released" }));
    expect((await getRequest(world.database.pool, row.id))?.row).toEqual(row);
    expect(await getQuarantined(admin, { id: row.id })).toMatchObject({ state: "released", releasedAtMs: expect.any(Number) });
    const { rows } = await world.database.pool.query("SELECT sum(requests)::int AS n FROM rollups_day WHERE model = $1 AND key_id = $2", [
      row.model,
      row.keyId,
    ]);
    expect(rows[0].n).toBe(1);
    expect(await audited(row.id)).toMatchObject([{ action: "quarantine.release", actorId: admin.userId, after: { outcome: "released" } }]);
  });

  it("is told to whoever looks, and counts as waiting no longer", async () => {
    const admin = await world.as("admin");
    const row = await quarantine();
    const before = (await getSystem(admin)).quarantined ?? 0;
    expect(await world.eventsOf(() => releaseQuarantined(admin, { id: row.id }))).toEqual([{ type: "quarantine.changed", id: row.id }]);
    expect((await getSystem(admin)).quarantined).toBe(before - 1);
  });

  it("stays with its new reason when it is refused again", async () => {
    const admin = await world.as("admin");
    const nul = await quarantine({ model: "nul \0 byte" });
    const overflown = await quarantine({ status: 40_000 });
    const broken = await quarantine({}, Buffer.from([0, 1, 2, 3, 255, 254]));
    expect(await releaseQuarantined(admin, { id: nul.id })).toEqual({ outcome: "refused", reason: expect.stringContaining("22021") });
    expect(await releaseQuarantined(admin, { id: overflown.id })).toMatchObject({ reason: expect.stringContaining("out of range") });
    expect(await releaseQuarantined(admin, { id: broken.id })).toMatchObject({ reason: "damaged or of an unknown version" });
    expect(await getQuarantined(admin, { id: nul.id })).toMatchObject({ state: "waiting", reason: expect.stringContaining("22021") });
    expect(await audited(overflown.id)).toMatchObject([{ after: { outcome: "refused" } }]);
  });
});

describe("a record that is dismissed", () => {
  it("keeps who decided so and why; the first of two clicks counts, and a release is still possible", async () => {
    const admin = await world.as("admin");
    const row = await quarantine();
    await dismissQuarantined(admin, { id: row.id, reason: "a test of the disk" });
    await dismissQuarantined(admin, { id: row.id, reason: "again" });
    expect(await getQuarantined(admin, { id: row.id })).toMatchObject({ state: "dismissed", dismissReason: "a test of the disk" });
    expect((await audited(row.id)).map(({ action }) => action)).toEqual(["quarantine.dismiss"]);
    await releaseQuarantined(admin, { id: row.id });
    expect(await getQuarantined(admin, { id: row.id })).toMatchObject({ state: "released" });
    await expect(dismissQuarantined(admin, { id: row.id, reason: " " })).rejects.toMatchObject({
      code: "invalid_request",
      field: "reason",
    });
    await expect(dismissQuarantined(admin, { id: newId(), reason: "x" })).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("what is shown", () => {
  it("is text, never more: indented JSON, drawn control characters, or hexadecimal", async () => {
    const admin = await world.as("admin");
    const json = await quarantine({ model: "<img src=x onerror=alert(1)>" });
    const text = await quarantine({}, Buffer.from("half of a record\u001b[2J, and more of it than of anything else"));
    const hex = await quarantine({}, Buffer.from([0, 1, 2, 255, 254, 3]));
    const huge = await quarantine({}, Buffer.alloc(3_000_000, "a"));
    const shown = await getQuarantined(admin, { id: json.id });
    expect(JSON.parse(shown.payload).row.model).toBe("<img src=x onerror=alert(1)>");
    expect(shown).toMatchObject({ encoding: "json", cut: false });
    expect(await getQuarantined(admin, { id: text.id })).toMatchObject({
      encoding: "text",
      payload: "half of a record␛[2J, and more of it than of anything else",
    });
    expect(await getQuarantined(admin, { id: hex.id })).toMatchObject({ encoding: "hex", payload: "000000  00 01 02 ff fe 03" });
    const cut = await getQuarantined(admin, { id: huge.id });
    expect([cut.cut, cut.payload.length, cut.sizeBytes]).toEqual([true, 65_536, 3_000_000]);
  });

  it("is walked page by page, by state, each record once; users see nothing of it", async () => {
    const admin = await world.as("admin");
    for (let n = 0; n < 5; n++) await quarantine();
    const all = (await listQuarantine(admin, { limit: 200 })).items;
    const walked: string[] = [];
    for (let cursor: string | null = null, more = true; more; ) {
      const page = await listQuarantine(admin, { limit: 2, cursor });
      walked.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
      more = page.hasMore;
    }
    expect(walked).toEqual(all.map(({ id }) => id));
    const states = await Promise.all(
      (["waiting", "released", "dismissed"] as const).map(
        async (state) => (await listQuarantine(admin, { state, limit: 200 })).items.length,
      ),
    );
    expect(states.reduce((sum, n) => sum + n, 0)).toBe(all.length);
    const user = await world.as("user");
    await expect(listQuarantine(user)).rejects.toMatchObject({ code: "forbidden" });
    await expect(releaseQuarantined(user, { id: all[0]?.id ?? "" })).rejects.toMatchObject({ code: "forbidden" });
  });
});
