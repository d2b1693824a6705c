import { SluiceError } from "@sluice/core/errors";
import { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import type { LogEntry } from "./log-page.ts";

export const GetLogInput = z.strictObject({ id: z.uuid() });

export async function getLog(ctx: Ctx, _input: z.input<typeof GetLogInput>): Promise<LogEntry> {
  requireAccess(ctx.actor, "user");
  throw new SluiceError("not_found");
}
