import { SluiceError } from "@sluice/core/errors";
import { uuidField } from "@sluice/core/inputs/uuid";
import { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { openProvider } from "./provider-secrets.ts";
import type { ProviderView } from "./provider-view.ts";
import { toProviderConfig } from "./stored-provider.ts";
import { toProviderView } from "./to-provider-view.ts";

export const GetProviderInput = z.strictObject({ id: uuidField });

/** Every field, as stored. @throws SluiceError `not_found`. */
export async function getProvider(ctx: Ctx, input: z.input<typeof GetProviderInput>): Promise<ProviderView> {
  requireAccess(ctx.actor, "admin");
  const { id } = parse(GetProviderInput, input);
  const row = await ctx.prisma.provider.findFirst({ where: { id, tenantId: ctx.tenantId, deletedAt: null } });
  if (!row) throw new SluiceError("not_found");
  const provider = toProviderConfig(row);
  return toProviderView(provider, openProvider(ctx, provider));
}
