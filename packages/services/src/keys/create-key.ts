import { CreateKeyInput } from "@sluice/core/inputs/key";
import { SluiceError } from "@sluice/core/errors";
import { newId } from "@sluice/core/ids";
import type { z } from "zod";
import { isAdmin, requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { bumpConfigVersion, emit, withTransaction } from "../transaction.ts";
import { issueSecret, previewOf, sha256Of } from "./key-secret.ts";
import type { CreatedKey } from "./key-view.ts";
import { keyInclude, toKeyView } from "./to-key-view.ts";

/**
 * Makes a key and returns its secret, once. Users make keys for themselves in group `default` and without limits or
 * expiry of their own choosing; anything else is an administrator's.
 * @throws SluiceError `forbidden`, `not_found` (no such user), `conflict` (the user has a key of that name).
 */
export async function createKey(ctx: Ctx, input: z.input<typeof CreateKeyInput>): Promise<CreatedKey> {
  requireAccess(ctx.actor, "user");
  const wanted = parse(CreateKeyInput, input);
  if (!isAdmin(ctx)) requireOwnPlainKey(ctx, wanted);
  const secret = issueSecret();
  return withTransaction(ctx, async (ctx) => {
    const { tx } = ctx.transaction;
    const owner = await tx.user.findFirst({ where: { id: wanted.userId, tenantId: ctx.tenantId } });
    if (!owner) throw new SluiceError("not_found", { message: "There is no such user.", field: "userId" });
    const row = await tx.key.create({
      data: {
        id: newId(),
        tenantId: ctx.tenantId,
        userId: wanted.userId,
        name: wanted.name,
        group: wanted.group,
        sha256: sha256Of(secret),
        preview: previewOf(secret),
        rpm: wanted.rpm,
        inFlight: wanted.inFlight,
        expiresAt: wanted.expiresAtMs === null ? null : new Date(wanted.expiresAtMs),
      },
      include: keyInclude,
    });
    const key = toKeyView(row);
    await audit(ctx, { action: "key.create", targetKind: "key", targetId: key.id, after: key });
    await bumpConfigVersion(ctx);
    emit(ctx, { type: "key.changed", id: key.id, userId: key.userId });
    return { key, secret };
  });
}

function requireOwnPlainKey(ctx: Ctx, wanted: CreateKeyInput): void {
  if (ctx.actor.kind !== "user" || wanted.userId !== ctx.actor.userId) throw new SluiceError("not_found");
  const field = wanted.group !== "default" ? "group" : wanted.rpm !== null ? "rpm" : wanted.inFlight !== null ? "inFlight" : wanted.expiresAtMs !== null ? "expiresAtMs" : null;
  if (field) throw new SluiceError("forbidden", { message: "Only an administrator sets this.", field });
}
