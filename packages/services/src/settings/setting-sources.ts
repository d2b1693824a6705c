import { cached } from "@sluice/cache/cached";
import { type SettingName, settingSchemas } from "@sluice/core/inputs/settings";
import { cacheScope, requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";

/** Origin of a setting's value; `config` ones are applied again when the file changes. */
export interface SettingSource {
  source: "config" | "console";
  changedAtMs: number;
}

/** For every setting that differs from its default or is set by the configuration file. */
export async function settingSources(ctx: Ctx): Promise<Partial<Record<SettingName, SettingSource>>> {
  requireAccess(ctx.actor, "admin");
  const { value } = await cached(ctx, "config:settingSources", { scope: cacheScope(ctx), input: null }, async () => {
    const rows = await ctx.prisma.setting.findMany({ where: { tenantId: ctx.tenantId } });
    const known = rows.filter(({ name }) => Object.hasOwn(settingSchemas, name));
    return Object.fromEntries(known.map(({ name, source, updatedAt }): [string, SettingSource] => [name, sourceOf(source, updatedAt)]));
  });
  return value;
}

function sourceOf(source: string, updatedAt: Date): SettingSource {
  return { source: source === "config" ? "config" : "console", changedAtMs: updatedAt.getTime() };
}
