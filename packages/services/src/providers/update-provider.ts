import { UpdateProviderInput } from "@sluice/core/inputs/provider";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { withTransaction } from "../transaction.ts";
import { changeProvider, storedProvider } from "./change-provider.ts";
import type { ProviderView } from "./provider-view.ts";

/**
 * Changes a provider.
 * @throws SluiceError `not_found`, `conflict` (name taken), `invalid_request` (URL not allowed, secret missing).
 */
export async function updateProvider(ctx: Ctx, input: z.input<typeof UpdateProviderInput>): Promise<ProviderView> {
  requireAccess(ctx.actor, "admin");
  const { id, secret, ...change } = parse(UpdateProviderInput, input);
  return withTransaction(ctx, async (ctx) =>
    changeProvider(ctx, await storedProvider(ctx, id), { action: "provider.update", change, secret }),
  );
}
