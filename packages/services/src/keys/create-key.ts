import { apiKeyPreview, makeApiKey } from "@sluice/core/api-key";
import { SluiceError } from "@sluice/core/errors";
import { newId } from "@sluice/core/ids";
import { CreateKeyInput } from "@sluice/core/inputs/key";
import { limitNames } from "@sluice/core/inputs/limits";
import { hashToken } from "@sluice/db/secrets";
import type { z } from "zod";
import { isAdmin, requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { checkPolicies } from "../policies/check-policies.ts";
import { bumpConfigVersion, emit, type TxCtx, withTransaction } from "../transaction.ts";
import type { CreatedKey } from "./key-view.ts";
import { toKeyView } from "./to-key-view.ts";

/**
 * Creates a key and returns its secret, once. Users create keys for themselves, in group `default`, with tags, but without limits or
 * expiry; everything else requires an administrator.
 * @throws SluiceError `forbidden`, `not_found` (no such user), `conflict` (the user has a key of that name).
 */
export async function createKey(ctx: Ctx, input: z.input<typeof CreateKeyInput>): Promise<CreatedKey> {
  requireAccess(ctx.actor, "user");
  if (!isAdmin(ctx)) requireOwnPlainKey(ctx, parse(CreateKeyInput, input));
  return withTransaction(ctx, (ctx) => addKey(ctx, input));
}

/** Creates the key without checking access; `fixed` is a secret that the configuration file prescribes. */
export async function addKey(ctx: TxCtx, input: z.input<typeof CreateKeyInput>, fixed?: string): Promise<CreatedKey> {
  const wanted = parse(CreateKeyInput, input);
  checkPolicies(wanted.policies);
  const secret = fixed ?? makeApiKey();
  const { tx } = ctx.transaction;
  const owner = await tx.user.findFirst({ where: { id: wanted.userId, tenantId: ctx.tenantId } });
  if (!owner) throw new SluiceError("not_found", { message: "There is no such user.", field: "userId" });
  // Checked here because a failed INSERT would abort the outer transaction too.
  const taken = await tx.key.findUnique({ where: { userId_name: { userId: wanted.userId, name: wanted.name } }, select: { id: true } });
  if (taken) throw new SluiceError("conflict", { message: "A key with this name already exists.", field: "name" });
  const row = await tx.key.create({
    data: {
      id: newId(),
      tenantId: ctx.tenantId,
      userId: wanted.userId,
      name: wanted.name,
      group: wanted.group,
      sha256: hashToken(secret),
      preview: apiKeyPreview(secret),
      ...Object.fromEntries(limitNames.map((field) => [field, wanted[field]])),
      policies: wanted.policies,
      tags: wanted.tags,
      expiresAt: wanted.expiresAtMs === null ? null : new Date(wanted.expiresAtMs),
    },
  });
  const key = toKeyView(row);
  await audit(ctx, { action: "key.create", targetKind: "key", targetId: key.id, after: key });
  bumpConfigVersion(ctx);
  emit(ctx, { type: "key.changed", id: key.id, userId: key.userId });
  return { key, secret };
}

function requireOwnPlainKey(ctx: Ctx, wanted: CreateKeyInput): void {
  if (ctx.actor.kind !== "user" || wanted.userId !== ctx.actor.userId) throw new SluiceError("not_found");
  const limited = [...limitNames, "expiresAtMs" as const].find((name) => wanted[name] !== null);
  const ruled = Object.keys(wanted.policies).length > 0 ? "policies" : null;
  const field = wanted.group !== "default" ? "group" : (limited ?? ruled);
  if (field) throw new SluiceError("forbidden", { message: "Only an administrator can set this.", field });
}
