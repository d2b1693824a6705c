import { SetGroupInput } from "@sluice/core/inputs/group";
import type { Group } from "@sluice/db/generated/client";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { limitChange, toLimitsView, toLimitValues } from "../limits/limits-view.ts";
import { parse } from "../parse.ts";
import { bumpConfigVersion, emit, type TxCtx, withTransaction } from "../transaction.ts";

/** The stored settings of a group; its members are in keys and providers. */
export type GroupEntry = ReturnType<typeof toGroupEntry>;

/** Replaces all settings of a group: its cost multiplier and limits. */
export async function setGroup(ctx: Ctx, input: z.input<typeof SetGroupInput>): Promise<GroupEntry> {
  requireAccess(ctx.actor, "admin");
  const { name, ...wanted } = parse(SetGroupInput, input);
  return withTransaction(ctx, async (ctx) => {
    const { tx } = ctx.transaction;
    const where = { tenantId_name: { tenantId: ctx.tenantId, name } };
    const before = await lockGroup(ctx, name);
    const data = limitChange(wanted, new Date(ctx.clock.now()));
    const row = await tx.group.upsert({ where, create: { tenantId: ctx.tenantId, name, ...data }, update: data });
    const group = toGroupEntry(row);
    await audit(ctx, {
      action: "group.set",
      targetKind: "group",
      targetId: name,
      ...(before && { before: toGroupEntry(before) }),
      after: group,
    });
    bumpConfigVersion(ctx);
    emit(ctx, { type: "group.changed", id: name });
    return group;
  });
}

/** The settings of a group, locked until the transaction ends; null when it has none. */
export async function lockGroup({ tenantId, transaction: { tx } }: TxCtx, name: string): Promise<Group | null> {
  await tx.$executeRaw`SELECT FROM groups WHERE tenant_id = ${tenantId} AND name = ${name} FOR UPDATE`;
  return tx.group.findUnique({ where: { tenantId_name: { tenantId, name } } });
}

export function toGroupEntry(row: Group) {
  return { name: row.name, costMultiplier: row.costMultiplier.toFixed(), ...toLimitsView(toLimitValues(row)) };
}
