import { defaultSettings, type SettingName, type Settings, UpdateSettingsInput } from "@sluice/core/inputs/settings";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { bumpConfigVersion, emit, withTransaction } from "../transaction.ts";

/**
 * Changes the settings named; the others stay. A value equal to its default is not kept. Writing what is in force
 * already changes nothing.
 * @throws SluiceError `invalid_request` naming the setting.
 */
export async function updateSettings(ctx: Ctx, input: z.input<typeof UpdateSettingsInput>): Promise<Settings> {
  requireAccess(ctx.actor, "admin");
  const wanted = parse(UpdateSettingsInput, input);
  await withTransaction(ctx, async (ctx) => {
    const { tx } = ctx.transaction;
    const { tenantId } = ctx;
    const defaults = defaultSettings();
    const stored = new Map((await tx.setting.findMany({ where: { tenantId } })).map((row) => [row.name, row.value]));
    const names = (Object.keys(wanted) as SettingName[]).filter(
      (name) => wanted[name] !== undefined && wanted[name] !== (stored.get(name) ?? defaults[name]),
    );
    if (names.length === 0) return;
    for (const name of names) {
      const value = wanted[name];
      if (value === undefined) continue;
      if (value === defaults[name]) await tx.setting.deleteMany({ where: { tenantId, name } });
      else await tx.setting.upsert({ where: { tenantId_name: { tenantId, name } }, create: { tenantId, name, value }, update: { value } });
    }
    const before = Object.fromEntries(names.map((name) => [name, stored.get(name) ?? defaults[name]]));
    const after = Object.fromEntries(names.map((name) => [name, wanted[name]]));
    await audit(ctx, { action: "settings.update", targetKind: "settings", targetId: names.join(","), before, after });
    await bumpConfigVersion(ctx);
    emit(ctx, { type: "settings.changed", names });
  });
  return ctx.snapshot.current().settings;
}
