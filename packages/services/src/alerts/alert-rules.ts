import { SluiceError } from "@sluice/core/errors";
import { newId } from "@sluice/core/ids";
import { AlertIdInput, AlertRuleFields, CreateAlertRuleInput, UpdateAlertRuleInput } from "@sluice/core/inputs/alert";
import type { AlertRule } from "@sluice/db/generated/client";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { bumpConfigVersion, emit, type TxCtx, withTransaction } from "../transaction.ts";
import type { AlertRuleView } from "./alert-view.ts";
import { toRuleView } from "./to-alert-view.ts";

/** Bounded because every rule is evaluated every few seconds. */
const MOST_RULES = 100;

/** Every rule, ordered by name. */
export async function listAlertRules(ctx: Ctx): Promise<AlertRuleView[]> {
  requireAccess(ctx.actor, "admin");
  const rows = await ctx.prisma.alertRule.findMany({ where: { tenantId: ctx.tenantId }, orderBy: { name: "asc" } });
  return rows.map(toRuleView);
}

/** @throws SluiceError `conflict` (name taken, or too many rules), `invalid_request` (unknown channel). */
export async function createAlertRule(ctx: Ctx, input: z.input<typeof CreateAlertRuleInput>): Promise<AlertRuleView> {
  requireAccess(ctx.actor, "admin");
  const wanted = parse(CreateAlertRuleInput, input);
  return withTransaction(ctx, async (ctx) => {
    const { tx } = ctx.transaction;
    await requireChannels(ctx, wanted.channelIds);
    if ((await tx.alertRule.count({ where: { tenantId: ctx.tenantId } })) >= MOST_RULES)
      throw new SluiceError("conflict", { message: `There are already ${MOST_RULES} rules, the most that are allowed.` });
    const rule = toRuleView(await tx.alertRule.create({ data: { ...wanted, id: newId(), tenantId: ctx.tenantId } }));
    await audit(ctx, { action: "alert-rule.create", targetKind: "alert", targetId: rule.id, after: rule });
    await announce(ctx, rule.id);
    return rule;
  });
}

/** @throws SluiceError `not_found`, `conflict` (name taken), `invalid_request`. */
export async function updateAlertRule(ctx: Ctx, input: z.input<typeof UpdateAlertRuleInput>): Promise<AlertRuleView> {
  requireAccess(ctx.actor, "admin");
  const { id, ...change } = parse(UpdateAlertRuleInput, input);
  return withTransaction(ctx, async (ctx) => {
    // Channels before rules: deleting a channel locks in the same order.
    if (change.channelIds) await requireChannels(ctx, change.channelIds);
    const before = toRuleView(await lockRule(ctx, id));
    const { id: _id, ...fields } = before;
    const wanted = parse(AlertRuleFields, { ...fields, ...change });
    const after = toRuleView(await ctx.transaction.tx.alertRule.update({ where: { id }, data: wanted }));
    await audit(ctx, { action: "alert-rule.update", targetKind: "alert", targetId: id, before, after });
    await announce(ctx, id);
    return after;
  });
}

/** Deletes a rule. The next evaluation resolves its open incidents; past ones stay. @throws SluiceError `not_found`. */
export async function deleteAlertRule(ctx: Ctx, input: z.input<typeof AlertIdInput>): Promise<void> {
  requireAccess(ctx.actor, "admin");
  const { id } = parse(AlertIdInput, input);
  await withTransaction(ctx, async (ctx) => {
    const before = toRuleView(await lockRule(ctx, id));
    await ctx.transaction.tx.alertRule.delete({ where: { id } });
    await audit(ctx, { action: "alert-rule.delete", targetKind: "alert", targetId: id, before });
    await announce(ctx, id);
  });
}

/** Locks the row until the transaction ends, so that each change starts from the result of the previous one. */
async function lockRule(ctx: TxCtx, id: string): Promise<AlertRule> {
  const { tx } = ctx.transaction;
  await tx.$executeRaw`SELECT FROM alert_rules WHERE id = ${id}::uuid FOR UPDATE`;
  const row = await tx.alertRule.findFirst({ where: { id, tenantId: ctx.tenantId } });
  if (!row) throw new SluiceError("not_found");
  return row;
}

/** Locks the channels, so that deleting one waits until the rule that names it is committed. */
async function requireChannels({ tenantId, transaction: { tx } }: TxCtx, ids: readonly string[]): Promise<void> {
  const there =
    await tx.$executeRaw`SELECT FROM alert_channels WHERE tenant_id = ${tenantId} AND id = ANY(${ids}::uuid[]) ORDER BY id FOR KEY SHARE`;
  if (there !== new Set(ids).size) throw new SluiceError("invalid_request", { message: "A channel does not exist.", field: "channelIds" });
}

/** Workers reload the rules when the configuration version changes. */
async function announce(ctx: TxCtx, id: string): Promise<void> {
  bumpConfigVersion(ctx);
  emit(ctx, { type: "alert.changed", id });
}
