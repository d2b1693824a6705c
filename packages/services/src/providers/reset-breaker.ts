import { uuidField } from "@sluice/core/inputs/uuid";
import { z } from "zod";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { withTransaction } from "../transaction.ts";
import { lockProvider } from "./change-provider.ts";

export const ResetBreakerInput = z.strictObject({ id: uuidField });

/** Closes every breaker of a provider and ends its credentials' cool-downs, on every instance. @throws SluiceError `not_found`. */
export async function resetBreaker(ctx: Ctx, input: z.input<typeof ResetBreakerInput>): Promise<{ id: string }> {
  requireAccess(ctx.actor, "admin");
  const { id } = parse(ResetBreakerInput, input);
  await withTransaction(ctx, async (ctx) => {
    await lockProvider(ctx, id);
    const breakers = ctx.breakers.list().filter(({ providerId }) => providerId === id);
    await audit(ctx, { action: "provider.reset-breaker", targetKind: "provider", targetId: id, before: { breakers } });
  });
  const cooling = ctx.coolDowns.list().filter(({ providerId }) => providerId === id);
  await ctx.live.commands.send({ kind: "breaker.reset", providerId: id });
  for (const coolDown of cooling) ctx.live.bus.publish({ type: "credential.cooled", coolDown: { ...coolDown, untilMs: 0 } });
  return { id };
}
