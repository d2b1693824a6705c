import type { ListLogsInput } from "@sluice/core/inputs/log";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import type { LogPage } from "./log-page.ts";

export async function listLogs(ctx: Ctx, _input: z.input<typeof ListLogsInput> = {}): Promise<LogPage> {
  requireAccess(ctx.actor, "user");
  return { rows: [], next: null, searchedToMs: null, partial: false, busId: "", serverNowMs: 0 };
}
