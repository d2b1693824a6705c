import { randomBytes } from "node:crypto";
import { hashToken } from "@sluice/db/secrets";
import type { Ctx } from "../context.ts";
import { type TxCtx, withTransaction } from "../transaction.ts";
import { createUser } from "../users/create-user.ts";

/** Row of `installation` that holds the SHA-256 of the setup token. */
export const SETUP_TOKEN = "setup_token_sha256";

/**
 * Called at boot (system actor). While there is no administrator, creates the headless one if configured, otherwise a new one-time token,
 * returned once for printing; every start replaces the previous token. With an administrator it does nothing and returns null.
 */
export async function prepareSetup(ctx: Ctx, headless: { email: string; password: string } | null): Promise<{ token: string | null }> {
  return withTransaction(ctx, async (ctx) => {
    if (await adminExists(ctx)) return { token: null };
    if (headless) {
      await createUser(ctx, { ...headless, name: headless.email.split("@")[0] ?? "Administrator", role: "admin" });
      return { token: null };
    }
    const token = randomBytes(20).toString("hex");
    const value = hashToken(token);
    await ctx.transaction.tx.installation.upsert({ where: { name: SETUP_TOKEN }, create: { name: SETUP_TOKEN, value }, update: { value } });
    return { token };
  });
}

/** Whether an administrator exists. Locks setup until the transaction ends, so that there is exactly one first administrator. */
export async function adminExists(ctx: TxCtx): Promise<boolean> {
  const { tx } = ctx.transaction;
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('sluice.setup'))`;
  return (await tx.user.count({ where: { tenantId: ctx.tenantId, role: "admin" } })) > 0;
}
