import { SluiceError } from "@sluice/core/errors";
import { UpdateProviderInput } from "@sluice/core/inputs/provider";
import type { Provider } from "@sluice/db/generated/client";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { withTransaction } from "../transaction.ts";
import { changeProvider, lockProvider, lockProviderNames } from "./change-provider.ts";
import { openProvider, proxyAddress } from "./provider-secrets.ts";
import type { ProviderView } from "./provider-view.ts";
import { toProviderConfig } from "./stored-provider.ts";

/**
 * Changes a provider.
 * @throws SluiceError `not_found`, `conflict` (name taken, or the address is no longer the `expected` one), `invalid_request` (URL not
 * allowed, secret missing).
 */
export async function updateProvider(ctx: Ctx, input: z.input<typeof UpdateProviderInput>): Promise<ProviderView> {
  requireAccess(ctx.actor, "admin");
  const { id, secret, expected, ...change } = parse(UpdateProviderInput, input);
  return withTransaction(ctx, async (ctx) => {
    if (change.name !== undefined) await lockProviderNames(ctx);
    const before = await lockProvider(ctx, id);
    requireExpected(ctx, before, expected);
    return changeProvider(ctx, before, { action: "provider.update", change, secret });
  });
}

/** Refuses the change if the address is no longer the one that its author saw: it was meant for that address. */
function requireExpected(ctx: Ctx, row: Provider, expected: UpdateProviderInput["expected"] = {}): void {
  const provider = toProviderConfig(row);
  const now = { baseUrl: provider.baseUrl, proxy: proxyAddress(openProvider(ctx, provider).proxy) };
  const field = (["baseUrl", "proxy"] as const).find((name) => expected[name] !== undefined && expected[name] !== now[name]);
  if (field === undefined) return;
  throw new SluiceError("conflict", { message: "Its address was changed by somebody else meanwhile.", field: `expected.${field}` });
}
