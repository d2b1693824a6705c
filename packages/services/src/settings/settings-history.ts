import { PageInput } from "@sluice/core/inputs/page";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { AuditPage } from "../audits/audit-view.ts";
import { listAudit } from "../audits/list-audit.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";

/** Every save of settings, newest first; `before` and `after` of each entry hold what it changed. */
export async function settingsHistory(ctx: Ctx, input: z.input<typeof PageInput> = {}): Promise<AuditPage> {
  requireAccess(ctx.actor, "admin");
  return listAudit(ctx, { ...parse(PageInput, input), filter: { targetKind: "settings", outcome: "done" } });
}
