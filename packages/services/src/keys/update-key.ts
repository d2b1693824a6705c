import { SluiceError } from "@sluice/core/errors";
import { UpdateKeyInput } from "@sluice/core/inputs/key";
import type { z } from "zod";
import { isAdmin, requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { limitChange } from "../limits/limits-view.ts";
import { parse } from "../parse.ts";
import { checkPolicies } from "../policies/check-policies.ts";
import { bumpConfigVersion, emit, withTransaction } from "../transaction.ts";
import { getOwnKey } from "./get-own-key.ts";
import type { KeyView } from "./key-view.ts";
import { toKeyView } from "./to-key-view.ts";

/** The fields that a key's owner may change too. */
const ownersFields: ReadonlySet<string> = new Set(["name", "tags", "endPrevious"]);

/**
 * Changes a key. Its owner may rename it, tag it and end the overlap of a rotation; everything else requires an administrator.
 * @throws SluiceError `not_found` (also for another user's key), `forbidden`, `conflict` (name taken, or revoked).
 */
export async function updateKey(ctx: Ctx, input: z.input<typeof UpdateKeyInput>): Promise<KeyView> {
  requireAccess(ctx.actor, "user");
  const { id, ...change } = parse(UpdateKeyInput, input);
  checkPolicies(change.policies);
  const notTheirs = Object.entries(change).find(([field, value]) => !ownersFields.has(field) && value !== undefined);
  return withTransaction(ctx, async (ctx) => {
    const before = await getOwnKey(ctx, id);
    if (notTheirs && !isAdmin(ctx))
      throw new SluiceError("forbidden", { message: "Only an administrator can set this.", field: notTheirs[0] });
    if (before.revokedAt) throw new SluiceError("conflict", { message: "This key was revoked." });
    const now = new Date(ctx.clock.now());
    const { expiresAtMs, enabled, endPrevious, ...plain } = limitChange(change, now);
    const endsOverlap = endPrevious && before.previousValidUntil !== null && before.previousValidUntil > now;
    const row = await ctx.transaction.tx.key.update({
      where: { id },
      data: {
        ...plain,
        ...(expiresAtMs !== undefined && { expiresAt: expiresAtMs === null ? null : new Date(expiresAtMs) }),
        ...(enabled !== undefined && { disabledAt: enabled ? null : (before.disabledAt ?? now) }),
        ...(endsOverlap && { previousValidUntil: now }),
      },
    });
    const key = toKeyView(row);
    await audit(ctx, { action: "key.update", targetKind: "key", targetId: id, before: toKeyView(before), after: key });
    bumpConfigVersion(ctx);
    emit(ctx, { type: "key.changed", id, userId: key.userId });
    return key;
  });
}
