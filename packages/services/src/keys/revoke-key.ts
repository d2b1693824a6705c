import { uuidField } from "@sluice/core/inputs/uuid";
import { z } from "zod";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { bumpConfigVersion, emit, withTransaction } from "../transaction.ts";
import { getOwnKey } from "./get-own-key.ts";
import type { KeyView } from "./key-view.ts";
import { toKeyView } from "./to-key-view.ts";

export const RevokeKeyInput = z.strictObject({ id: uuidField });

/**
 * Revokes a key permanently, everywhere within a second. Its streams are cut; its rows in the log stay. Revoking twice changes nothing.
 * @throws SluiceError `not_found` (also for another user's key).
 */
export async function revokeKey(ctx: Ctx, input: z.input<typeof RevokeKeyInput>): Promise<KeyView> {
  requireAccess(ctx.actor, "user");
  const { id } = parse(RevokeKeyInput, input);
  const revoked = await withTransaction(ctx, async (ctx) => {
    const before = await getOwnKey(ctx, id);
    if (before.revokedAt) return toKeyView(before);
    const row = await ctx.transaction.tx.key.update({
      where: { id },
      // Names are unique per user: revoking a key frees its name. No words, since pages in any language show it.
      data: { revokedAt: new Date(ctx.clock.now()), name: `${before.name} · ${id.slice(-6)}` },
    });
    const key = toKeyView(row);
    await audit(ctx, { action: "key.revoke", targetKind: "key", targetId: id, before: toKeyView(before), after: key });
    bumpConfigVersion(ctx);
    emit(ctx, { type: "key.changed", id, userId: key.userId });
    return key;
  });
  // Instances end its streams when they reload the configuration; the command is faster.
  await ctx.live.commands.send({ kind: "key.cut", keyId: id });
  return revoked;
}
