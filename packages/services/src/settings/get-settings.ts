import type { Settings } from "@sluice/core/inputs/settings";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";

/** The settings in force, from memory: no query, and available while Postgres is down. */
export async function getSettings(ctx: Ctx): Promise<Settings> {
  requireAccess(ctx.actor, "admin");
  return ctx.snapshot.current().settings;
}
