import { listAudit } from "@sluice/services/audits/list-audit";
import { applyConfig } from "@sluice/services/config/apply-config";
import { systemContext } from "@sluice/services/create-services";
import { rollBackSettings } from "@sluice/services/settings/roll-back-settings";
import { settingSources } from "@sluice/services/settings/setting-sources";
import { settingsHistory } from "@sluice/services/settings/settings-history";
import { updateSettings } from "@sluice/services/settings/update-settings";
import { beforeEach, describe, expect, it } from "vitest";
import { startServices, type TestServices } from "./harness.ts";

let world: TestServices;
// An installation per test, because the audit log cannot be emptied.
beforeEach(async () => {
  world = await startServices();
  return () => world.close();
});

const inForce = () => world.services.snapshot.current().settings;
const applyFile = (settings: string) => applyConfig(systemContext(world.services, "config"), `settings:\n${settings}`);

describe("where a setting comes from", () => {
  it("those of the file are marked, those an administrator saved are the console's, and defaults have no source", async () => {
    const admin = await world.as("admin");
    await applyFile("  breaker.failures: 7\n  breaker.openSeconds: 60\n");
    // Including the one that equals its default: the file would reset it.
    expect(await settingSources(admin)).toMatchObject({
      "breaker.failures": { source: "config" },
      "breaker.openSeconds": { source: "config" },
    });
    const { version } = world.services.snapshot.current();
    expect(await applyFile("  breaker.failures: 7\n  breaker.openSeconds: 60\n")).toMatchObject({ updated: [] });
    await world.services.snapshot.refresh();
    expect(world.services.snapshot.current().version).toBe(version);

    await updateSettings(admin, { "breaker.failures": 8, "routing.maxAttempts": 4 });
    expect(await settingSources(admin)).toMatchObject({
      "breaker.failures": { source: "console" },
      "routing.maxAttempts": { source: "console" },
    });
    await applyFile("  breaker.failures: 7\n");
    expect(inForce()["breaker.failures"]).toBe(7);
    expect(await settingSources(admin)).toMatchObject({
      "breaker.failures": { source: "config" },
      // The file no longer contains it.
      "breaker.openSeconds": { source: "console" },
    });
    await updateSettings(admin, { "routing.maxAttempts": 3 });
    expect(await settingSources(admin)).not.toHaveProperty("routing.maxAttempts");
  });
});

describe("R31 one action brings a version of the settings back", () => {
  it("restores the settings before a save, undoing every later one, and can itself be undone", async () => {
    const admin = await world.as("admin");
    await updateSettings(admin, { "routing.maxAttempts": 4, "breaker.failures": 6 });
    await updateSettings(admin, { "routing.maxAttempts": 5 });
    await updateSettings(admin, { "time.zone": "Asia/Shanghai" });
    const { items } = await settingsHistory(admin);
    expect(items.map(({ before, after }) => [before, after])).toEqual([
      [{ "time.zone": "UTC" }, { "time.zone": "Asia/Shanghai" }],
      [{ "routing.maxAttempts": 4 }, { "routing.maxAttempts": 5 }],
      [
        { "routing.maxAttempts": 3, "breaker.failures": 5 },
        { "routing.maxAttempts": 4, "breaker.failures": 6 },
      ],
    ]);
    const [, second, first] = items;
    expect(await rollBackSettings(admin, { id: second?.id ?? "" })).toMatchObject({
      "routing.maxAttempts": 4,
      "breaker.failures": 6,
      "time.zone": "UTC",
    });
    await rollBackSettings(admin, { id: first?.id ?? "" });
    expect(inForce()).toMatchObject({ "routing.maxAttempts": 3, "breaker.failures": 5, "time.zone": "UTC" });
    expect(await settingSources(admin)).toEqual({});
    const [undone] = (await settingsHistory(admin, { limit: 1 })).items;
    expect(undone).toMatchObject({ action: "settings.roll-back", actor: { id: admin.userId } });
    await rollBackSettings(admin, { id: undone?.id ?? "" });
    expect(inForce()).toMatchObject({ "routing.maxAttempts": 4, "breaker.failures": 6 });
  });

  it("refuses ids that are not a save of settings", async () => {
    const admin = await world.as("admin");
    await updateSettings(admin, { "routing.maxAttempts": 4 });
    await expect(rollBackSettings(admin, { id: "019aa400-0000-7000-8000-000000000000" })).rejects.toMatchObject({ code: "not_found" });
    await expect(rollBackSettings(await world.as("user"), { id: "019aa400-0000-7000-8000-000000000000" })).rejects.toMatchObject({
      code: "forbidden",
    });
    expect((await listAudit(admin, { filter: { action: "settings.roll-back" } })).items).toEqual([]);
  });
});

describe("R38 a routing rule that is wrong is refused, and what is in force stays", () => {
  it("names the field, to the console and to the file; the next valid one is in force", async () => {
    const admin = await world.as("admin");
    await updateSettings(admin, { "routing.rules": [{ name: "Good", models: ["gpt-*"], provider: "East" }] });
    const before = inForce()["routing.rules"];
    expect(before).toMatchObject([{ name: "Good", enabled: true, percent: 100 }]);
    const wrong = async (rule: object, field: string): Promise<void> => {
      const rules = [
        { name: "First", group: "vip" },
        { name: "Bad", provider: "East", ...rule },
      ];
      await expect(updateSettings(admin, { "routing.rules": rules })).rejects.toMatchObject({ code: "invalid_request", field });
    };
    await wrong({ models: ["/(/"] }, "routing.rules[1].models");
    await wrong({ percent: 101 }, "routing.rules[1].percent");
    await wrong({ provider: null }, "routing.rules[1].provider");
    await wrong({ headers: [{ name: "authorization", value: "*" }] }, "routing.rules[1].headers[0].name");
    await wrong({ schedule: { zone: "Moon", windows: [] } }, "routing.rules[1].schedule.zone");
    await wrong({ name: "First" }, "routing.rules");
    await expect(applyFile("  routing.rules:\n    - name: Filed\n      paths: ['/(/']\n      model: gpt-5\n")).rejects.toThrow("paths");
    expect(inForce()["routing.rules"]).toEqual(before);
    await applyFile("  routing.rules:\n    - name: Filed\n      paths: [/v1/*]\n      model: gpt-5\n");
    expect(inForce()["routing.rules"]).toMatchObject([{ name: "Filed", model: "gpt-5" }]);
  });
});
