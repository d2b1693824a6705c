import { SluiceError } from "@sluice/core/errors";
import type { Key } from "@sluice/db/generated/client";
import { ownScope } from "../access.ts";
import type { TxCtx } from "../transaction.ts";
import { keyInclude } from "./to-key-view.ts";

/** The key, if the actor may touch it. @throws SluiceError `not_found`, the same for none and for another user's. */
export async function getOwnKey(ctx: TxCtx, id: string): Promise<Key & { user: { name: string; email: string } }> {
  const userId = ownScope(ctx);
  const row = await ctx.transaction.tx.key.findFirst({
    where: { id, tenantId: ctx.tenantId, ...(userId !== null && { userId }) },
    include: keyInclude,
  });
  if (!row) throw new SluiceError("not_found");
  return row;
}
