import type { TestProviderInput } from "@sluice/core/inputs/provider";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import type { ProviderTest } from "./provider-view.ts";

export async function testProvider(ctx: Ctx, _input: z.input<typeof TestProviderInput>): Promise<ProviderTest> {
  requireAccess(ctx.actor, "admin");
  return { ok: false, status: null, latencyMs: 0, message: "" };
}
