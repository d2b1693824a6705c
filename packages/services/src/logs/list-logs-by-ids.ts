import type { RequestRow } from "@sluice/core/requests";
import { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";

export const ListLogsByIdsInput = z.strictObject({ ids: z.array(z.uuid()).max(200) });

export async function listLogsByIds(ctx: Ctx, _input: z.input<typeof ListLogsByIdsInput>): Promise<RequestRow[]> {
  requireAccess(ctx.actor, "user");
  return [];
}
