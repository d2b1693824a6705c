import { SluiceError } from "@sluice/core/errors";
import type { TxCtx } from "../transaction.ts";

/** Refuses to take the last administrator away. @throws SluiceError `conflict`. */
export async function requireAnotherAdmin({ tenantId, transaction: { tx } }: TxCtx, id: string): Promise<void> {
  // Two that are taken away at once must not both find the other one still there.
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('sluice.admins'))`;
  const others = await tx.user.count({ where: { tenantId, role: "admin", disabledAt: null, id: { not: id } } });
  if (others === 0) throw new SluiceError("conflict", { message: "This is the last administrator." });
}
