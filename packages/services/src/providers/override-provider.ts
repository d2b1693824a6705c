import { OverrideProviderInput } from "@sluice/core/inputs/provider";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { withTransaction } from "../transaction.ts";
import { changeProvider, lockProvider } from "./change-provider.ts";
import type { ProviderView } from "./provider-view.ts";

/**
 * Sets or lifts an override: forces the provider open, drains it or ignores its breakers, with or without an end.
 * @throws SluiceError `not_found`.
 */
export async function overrideProvider(ctx: Ctx, input: z.input<typeof OverrideProviderInput>): Promise<ProviderView> {
  requireAccess(ctx.actor, "admin");
  const { id, kind, forSeconds, note } = parse(OverrideProviderInput, input);
  const untilMs = kind === null || forSeconds === null ? null : ctx.clock.now() + forSeconds * 1_000;
  const change = {
    override: kind,
    overrideUntil: untilMs === null ? null : new Date(untilMs),
    overrideNote: kind === null ? "" : note,
  };
  return withTransaction(ctx, async (ctx) =>
    changeProvider(ctx, await lockProvider(ctx, id), { action: kind === null ? "provider.lift" : `provider.${kind}`, change }),
  );
}
