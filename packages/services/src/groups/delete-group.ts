import { SluiceError } from "@sluice/core/errors";
import { GroupNameInput } from "@sluice/core/inputs/group";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { bumpConfigVersion, emit, withTransaction } from "../transaction.ts";
import { lockGroup, toGroupEntry } from "./set-group.ts";

/**
 * Removes the settings of a group, so that list prices apply and nothing is limited. Keys and providers keep naming it.
 * @throws SluiceError `not_found` (the group has no settings).
 */
export async function deleteGroup(ctx: Ctx, input: z.input<typeof GroupNameInput>): Promise<void> {
  requireAccess(ctx.actor, "admin");
  const { name } = parse(GroupNameInput, input);
  await withTransaction(ctx, async (ctx) => {
    const before = await lockGroup(ctx, name);
    if (!before) throw new SluiceError("not_found");
    await ctx.transaction.tx.group.delete({ where: { tenantId_name: { tenantId: ctx.tenantId, name } } });
    await audit(ctx, { action: "group.delete", targetKind: "group", targetId: name, before: toGroupEntry(before) });
    bumpConfigVersion(ctx);
    emit(ctx, { type: "group.changed", id: name });
  });
}
