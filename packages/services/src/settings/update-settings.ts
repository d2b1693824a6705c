import { isDeepStrictEqual } from "node:util";
import { SluiceError, toSluiceError } from "@sluice/core/errors";
import { isExpression } from "@sluice/core/inputs/error-rules";
import {
  defaultSettings,
  SaveSettingsInput,
  type SettingName,
  type Settings,
  type UpdateSettingsInput,
} from "@sluice/core/inputs/settings";
import { patternProblem } from "@sluice/core/routing/model-patterns";
import { routingRuleProblem } from "@sluice/core/routing/routing-rules";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { fieldName, parse } from "../parse.ts";
import { bumpConfigVersion, emit, type TxCtx, withTransaction } from "../transaction.ts";

/**
 * Changes the given settings; the others stay. A value equal to its default is not stored, unless the configuration file sets it: then it
 * is stored as the file's. Writing the current value changes nothing.
 * @throws SluiceError `invalid_request` naming the setting, `conflict` naming one that no longer is as `expected`.
 */
export async function updateSettings(ctx: Ctx, input: z.input<typeof SaveSettingsInput>): Promise<Settings> {
  requireAccess(ctx.actor, "admin");
  const { expected, ...wanted } = parse(SaveSettingsInput, input);
  await withTransaction(ctx, (ctx) => placeSettings(ctx, wanted, "settings.update", expected));
  return ctx.snapshot.current().settings;
}

/**
 * Stores validated settings with an audit entry. Returns the names whose value changed.
 * @throws SluiceError `conflict` when one of them is neither as `expected` nor as wanted.
 */
export async function placeSettings(
  ctx: TxCtx,
  wanted: UpdateSettingsInput,
  action: string,
  expected: UpdateSettingsInput = {},
): Promise<SettingName[]> {
  if (wanted["pricing.sourceUrl"]) requireAllowedUrl(ctx, wanted["pricing.sourceUrl"]);
  for (const [index, { name, body }] of (wanted["upstream.errorRules"] ?? []).entries()) {
    const problem = isExpression(body) ? patternProblem(body) : null;
    if (!problem) continue;
    throw new SluiceError("invalid_request", { message: `${name}: ${problem}`, field: fieldName(["upstream.errorRules", index, "body"]) });
  }
  for (const [index, rule] of (wanted["routing.rules"] ?? []).entries()) {
    const problem = routingRuleProblem(rule);
    if (!problem) continue;
    const field = fieldName(["routing.rules", index, problem.field]);
    throw new SluiceError("invalid_request", { message: `${rule.name}: ${problem.message}`, field });
  }
  const { tx } = ctx.transaction;
  const { tenantId } = ctx;
  await lockSettings(ctx);
  const source = ctx.actor.kind === "system" && ctx.actor.name === "config" ? "config" : "console";
  const defaults = defaultSettings();
  const stored = new Map((await tx.setting.findMany({ where: { tenantId } })).map((row) => [row.name, row]));
  const inForce = (name: SettingName) => stored.get(name)?.value ?? defaults[name];
  const named = (Object.keys(wanted) as SettingName[]).filter((name) => wanted[name] !== undefined);
  const names = named.filter((name) => !isDeepStrictEqual(wanted[name], inForce(name)));
  const elsewhere = names.find((name) => expected[name] !== undefined && !isDeepStrictEqual(expected[name], inForce(name)));
  if (elsewhere)
    throw new SluiceError("conflict", {
      message: `${elsewhere} was changed by someone else in the meantime.`,
      field: fieldName([elsewhere]),
    });
  // The file takes over every setting it names, even where the value stays the same.
  const taken = source === "config" ? named.filter((name) => stored.get(name)?.source !== "config") : [];
  for (const name of new Set([...names, ...taken])) {
    const value = wanted[name];
    if (value === undefined) continue;
    if (isDeepStrictEqual(value, defaults[name]) && source === "console") await tx.setting.deleteMany({ where: { tenantId, name } });
    else
      await tx.setting.upsert({
        where: { tenantId_name: { tenantId, name } },
        create: { tenantId, name, value, source },
        update: { value, source },
      });
  }
  if (names.length === 0) return [];
  const before = Object.fromEntries(names.map((name) => [name, inForce(name)]));
  const after = Object.fromEntries(names.map((name) => [name, wanted[name]]));
  await audit(ctx, { action, targetKind: "settings", targetId: names.join(","), before, after });
  bumpConfigVersion(ctx);
  emit(ctx, { type: "settings.changed", names });
  return names;
}

/** Allows one save at a time, so that the next one compares with the result of this one. */
export async function lockSettings(ctx: TxCtx): Promise<void> {
  await ctx.transaction.tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('sluice.settings', 0))`;
}

/** The error of the egress names a provider's base URL; replace it with one about the setting. */
function requireAllowedUrl(ctx: TxCtx, url: string): void {
  try {
    ctx.egress.checkUrl(url);
  } catch (thrown) {
    const { message } = toSluiceError(thrown);
    throw new SluiceError("invalid_request", { message, field: "pricing.sourceUrl", cause: thrown });
  }
}

/** Settings that the configuration file no longer names keep their value and belong to the console from now on. */
export async function releaseSettings(ctx: TxCtx, stillSaid: readonly string[]): Promise<void> {
  const { tenantId } = ctx;
  await ctx.transaction.tx.setting.updateMany({
    where: { tenantId, source: "config", name: { notIn: [...stillSaid] } },
    data: { source: "console" },
  });
}
