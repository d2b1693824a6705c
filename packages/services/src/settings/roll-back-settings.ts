import { SluiceError } from "@sluice/core/errors";
import { RollBackSettingsInput, type Settings, settingSchemas, UpdateSettingsInput } from "@sluice/core/inputs/settings";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { type TxCtx, withTransaction } from "../transaction.ts";
import { lockSettings, placeSettings } from "./update-settings.ts";

/** Saves that one roll-back may undo. */
const MOST_SAVES = 1_000;

/**
 * Restores all settings to their state before a save: that save and every later one are undone, in one transaction and as one new save,
 * which can be rolled back too. Requests in flight keep the settings they began with.
 * @throws SluiceError `not_found` when there is no such save, `conflict` when more than 1,000 came after it.
 */
export async function rollBackSettings(ctx: Ctx, input: z.input<typeof RollBackSettingsInput>): Promise<Settings> {
  requireAccess(ctx.actor, "admin");
  const { id } = parse(RollBackSettingsInput, input);
  await withTransaction(ctx, async (ctx) => {
    await lockSettings(ctx);
    await placeSettings(ctx, await settingsBefore(ctx, id), "settings.roll-back");
  });
  return ctx.snapshot.current().settings;
}

async function settingsBefore(ctx: TxCtx, id: string): Promise<UpdateSettingsInput> {
  const saves = await ctx.transaction.tx.auditEntry.findMany({
    where: { tenantId: ctx.tenantId, targetKind: "settings", outcome: "done", id: { gte: id } },
    orderBy: { id: "desc" },
    take: MOST_SAVES + 1,
  });
  if (saves.length > MOST_SAVES) throw new SluiceError("conflict", { message: "Too many changes were made after this one." });
  if (saves.at(-1)?.id !== id) throw new SluiceError("not_found");
  const values: Record<string, unknown> = {};
  for (const { before } of saves) if (typeof before === "object" && before !== null) Object.assign(values, before);
  // Settings that this version no longer has, or whose value it no longer accepts, cannot be restored.
  const known = Object.entries(values).filter(
    ([name, value]) => Object.hasOwn(settingSchemas, name) && UpdateSettingsInput.safeParse({ [name]: value }).success,
  );
  return UpdateSettingsInput.parse(Object.fromEntries(known));
}
