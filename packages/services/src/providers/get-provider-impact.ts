import { uuidField } from "@sluice/core/inputs/uuid";
import { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import type { ProviderImpact } from "./provider-view.ts";

export const ProviderImpactInput = z.strictObject({ ids: z.array(uuidField).min(1).max(500) });

/** Who would be affected if these providers were gone, from live figures alone, without a query. */
export async function getProviderImpact(ctx: Ctx, input: z.input<typeof ProviderImpactInput>): Promise<ProviderImpact> {
  requireAccess(ctx.actor, "admin");
  const { ids } = parse(ProviderImpactInput, input);
  const [sessions, figures] = await Promise.all([ctx.live.sessions.list(), ctx.live.figures.list()]);
  return {
    providers: ids.map((id) => {
      const own = figures.find(({ providerId }) => providerId === id);
      return {
        id,
        sessions: sessions.filter(({ providerId }) => providerId === id).length,
        inFlight: own?.inFlight ?? 0,
        requests: own?.requests ?? 0,
      };
    }),
    requests: figures.reduce((sum, { requests }) => sum + requests, 0),
  };
}
