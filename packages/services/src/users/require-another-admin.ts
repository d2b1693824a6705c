import { SluiceError } from "@sluice/core/errors";
import type { TxCtx } from "../transaction.ts";

/** Protects the last administrator. @throws SluiceError `conflict`. */
export async function requireAnotherAdmin({ tenantId, transaction: { tx } }: TxCtx, id: string): Promise<void> {
  // Two concurrent removals must not each count on the other administrator.
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('sluice.admins'))`;
  const others = await tx.user.count({ where: { tenantId, role: "admin", disabledAt: null, id: { not: id } } });
  if (others === 0) throw new SluiceError("conflict", { message: "This is the last administrator." });
}
