import { UpdateProvidersInput } from "@sluice/core/inputs/provider";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { withTransaction } from "../transaction.ts";
import { changeProvider, lockProvider, lockProviderNames } from "./change-provider.ts";

/**
 * Changes many providers, all or none, with an audit entry for each. To undo, call it again with the previous values.
 * @throws SluiceError `not_found` when one of them does not exist.
 */
export async function updateProviders(ctx: Ctx, input: z.input<typeof UpdateProvidersInput>): Promise<{ changed: number }> {
  requireAccess(ctx.actor, "admin");
  const { changes } = parse(UpdateProvidersInput, input);
  return withTransaction(ctx, async (ctx) => {
    await lockProviderNames(ctx);
    for (const { id, ...change } of changes) {
      await changeProvider(ctx, await lockProvider(ctx, id), { action: "provider.update", change });
    }
    return { changed: changes.length };
  });
}
