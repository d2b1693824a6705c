import type { Figures } from "@sluice/core/figures";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";

/** Read when the page opens; while it is open, processes push their own figures, and one of them those of the stores. */
export async function getFigures(ctx: Ctx): Promise<Figures> {
  requireAccess(ctx.actor, "admin");
  return { process: ctx.measures.process(), stores: await ctx.measures.stores() };
}
