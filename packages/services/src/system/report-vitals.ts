import { ReportVitalsInput } from "@sluice/core/inputs/vitals";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";

/** What a browser measured of the console. Counted in memory only. */
export function reportVitals(ctx: Ctx, input: z.input<typeof ReportVitalsInput>): void {
  requireAccess(ctx.actor, "key");
  for (const vital of parse(ReportVitalsInput, input).vitals) ctx.measures.rendered(vital);
}
