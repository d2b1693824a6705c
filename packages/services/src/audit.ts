import { newId } from "@sluice/core/ids";
import { emit, type TxCtx } from "./transaction.ts";

/** One audited change; `before` and `after` must not contain secrets. */
export interface AuditChange {
  /** `key.create`, `provider.update`, … */
  action: string;
  targetKind:
    | "key"
    | "user"
    | "group"
    | "provider"
    | "price"
    | "settings"
    | "login"
    | "config"
    | "request"
    | "session"
    | "quarantine"
    | "ledger"
    | "alert"
    | "cache";
  targetId: string;
  before?: object;
  after?: object;
}

/** Writes who changed what, in the transaction of the change. Returns the entry's id. */
export async function audit(ctx: TxCtx, change: AuditChange): Promise<string> {
  const { actor } = ctx;
  const id = newId();
  await ctx.transaction.tx.auditEntry.create({
    data: {
      id,
      tenantId: ctx.tenantId,
      actorId: actor.kind === "user" ? actor.userId : "",
      actorKind: actor.kind === "system" ? actor.name : actor.kind,
      action: change.action,
      targetKind: change.targetKind,
      targetId: change.targetId,
      before: plain(change.before),
      after: plain(change.after),
      ip: ctx.ip,
      requestId: ctx.requestId,
    },
  });
  // One event per transaction is enough: it makes readers reload.
  if (!ctx.transaction.events.some(({ type }) => type === "audit.added")) emit(ctx, { type: "audit.added", id });
  return id;
}

/** The value without undefined, and with dates and bigints as strings, as a Json column needs it. */
function plain(value: object | undefined): object | undefined {
  return value && (JSON.parse(JSON.stringify(value, (_, v: unknown) => (typeof v === "bigint" ? v.toString() : v))) as object);
}
