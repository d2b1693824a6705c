import { UpdateAccountInput } from "@sluice/core/inputs/credit";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { bumpConfigVersion, withTransaction } from "../transaction.ts";
import type { AccountView } from "./credit-view.ts";
import { lockAccount } from "./lock-account.ts";
import { toAccountView } from "./to-credit-view.ts";

/**
 * Sets a user's billing terms and the floor of the balance. New terms apply to requests that begin from now on, and to what is settled
 * from now on.
 * @throws SluiceError `not_found`.
 */
export async function updateAccount(ctx: Ctx, input: z.input<typeof UpdateAccountInput>): Promise<AccountView> {
  requireAccess(ctx.actor, "admin");
  const { userId, billing, floorUsd } = parse(UpdateAccountInput, input);
  return withTransaction(ctx, async (ctx) => {
    const before = await lockAccount(ctx, userId);
    const data = { ...(billing !== undefined && { billing }), ...(floorUsd !== undefined && { floorNanoUsd: floorUsd }) };
    const row = await ctx.transaction.tx.account.update({ where: { userId }, data });
    await audit(ctx, {
      action: "credit.updateAccount",
      targetKind: "user",
      targetId: userId,
      before: { billing: before.billing, floorNanoUsd: before.floorNanoUsd },
      after: { billing: row.billing, floorNanoUsd: row.floorNanoUsd },
    });
    bumpConfigVersion(ctx);
    return toAccountView(userId, row);
  });
}
