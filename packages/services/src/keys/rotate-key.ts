import { apiKeyPreview, makeApiKey } from "@sluice/core/api-key";
import { SluiceError } from "@sluice/core/errors";
import { RotateKeyInput } from "@sluice/core/inputs/key";
import { hashToken } from "@sluice/db/secrets";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { bumpConfigVersion, emit, withTransaction } from "../transaction.ts";
import { getOwnKey } from "./get-own-key.ts";
import type { CreatedKey } from "./key-view.ts";
import { toKeyView } from "./to-key-view.ts";

/**
 * Gives a key a new secret, shown once; limits, totals and log stay with the key. The old secret works during the overlap and then
 * expires by time alone; one from an earlier rotation ends now.
 * @throws SluiceError `not_found` (also for another user's key), `conflict` (revoked).
 */
export async function rotateKey(ctx: Ctx, input: z.input<typeof RotateKeyInput>): Promise<CreatedKey> {
  requireAccess(ctx.actor, "user");
  const { id, overlapSeconds } = parse(RotateKeyInput, input);
  const secret = makeApiKey();
  return withTransaction(ctx, async (ctx) => {
    const before = await getOwnKey(ctx, id);
    if (before.revokedAt) throw new SluiceError("conflict", { message: "This key was revoked." });
    const row = await ctx.transaction.tx.key.update({
      where: { id },
      data: {
        sha256: hashToken(secret),
        preview: apiKeyPreview(secret),
        previousSha256: before.sha256,
        previousValidUntil: new Date(ctx.clock.now() + overlapSeconds * 1000),
      },
    });
    const key = toKeyView(row);
    await audit(ctx, { action: "key.rotate", targetKind: "key", targetId: id, before: toKeyView(before), after: key });
    bumpConfigVersion(ctx);
    emit(ctx, { type: "key.changed", id, userId: key.userId });
    return { key, secret };
  });
}
