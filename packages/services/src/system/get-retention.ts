import type { Settings } from "@sluice/core/inputs/settings";
import { planRetention, type RetentionPlan } from "@sluice/ledger/retention-plan";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";

/** What is kept for how long, what goes next, and what was archived before it went. 0 days = forever. */
export interface RetentionView extends RetentionPlan {
  requestDays: number;
  detailDays: number;
  fiveMinuteDays: number;
  incidentDays: number;
  archive: Settings["retention.archive"];
}

/** By the current settings; read when the page opens. */
export async function getRetention(ctx: Ctx): Promise<RetentionView> {
  requireAccess(ctx.actor, "admin");
  const { settings } = ctx.snapshot.current();
  return {
    ...(await planRetention(ctx.pool, settings)),
    requestDays: settings["retention.requestDays"],
    detailDays: settings["retention.detailDays"],
    fiveMinuteDays: settings["retention.fiveMinuteDays"],
    incidentDays: settings["retention.incidentDays"],
    archive: settings["retention.archive"],
  };
}
