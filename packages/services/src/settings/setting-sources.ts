import { type SettingName, settingSchemas } from "@sluice/core/inputs/settings";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";

/** Where a setting's value comes from: `config` ones are applied again at the file's next change. */
export interface SettingSource {
  source: "config" | "console";
  changedAtMs: number;
}

/** Of every setting that is not at its default, or that the configuration file says. */
export async function settingSources(ctx: Ctx): Promise<Partial<Record<SettingName, SettingSource>>> {
  requireAccess(ctx.actor, "admin");
  const rows = await ctx.prisma.setting.findMany({ where: { tenantId: ctx.tenantId } });
  return Object.fromEntries(
    rows
      .filter(({ name }) => Object.hasOwn(settingSchemas, name))
      .map(({ name, source, updatedAt }) => [
        name,
        { source: source === "config" ? "config" : "console", changedAtMs: updatedAt.getTime() },
      ]),
  );
}
