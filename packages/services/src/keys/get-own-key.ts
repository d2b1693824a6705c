import { SluiceError } from "@sluice/core/errors";
import type { Key } from "@sluice/db/generated/client";
import { rowScope } from "../access.ts";
import type { Ctx } from "../context.ts";
import type { TxCtx } from "../transaction.ts";

/**
 * The key if the actor may change it, locked until the transaction ends: a change that began before the key was revoked or rotated must
 * not be applied after it.
 * @throws SluiceError `not_found`, the same for an unknown and for another user's key.
 */
export async function getOwnKey(ctx: TxCtx, id: string): Promise<Key> {
  const { tx } = ctx.transaction;
  await tx.$executeRaw`SELECT FROM keys WHERE id = ${id}::uuid FOR UPDATE`;
  return read(ctx, tx, id);
}

/** As {@link getOwnKey}, for reading only. */
export function readOwnKey(ctx: Ctx, id: string): Promise<Key> {
  return read(ctx, ctx.prisma, id);
}

async function read(ctx: Ctx, db: Pick<Ctx["prisma"], "key">, id: string): Promise<Key> {
  const { userId, keyId } = rowScope(ctx);
  const row = await db.key.findFirst({ where: { id, tenantId: ctx.tenantId, ...(userId !== null && { userId }) } });
  if (!row || (keyId !== null && row.id !== keyId)) throw new SluiceError("not_found");
  return row;
}
