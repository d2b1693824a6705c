import { SluiceError } from "@sluice/core/errors";
import type { LiveEvent } from "@sluice/core/events";
import { announceConfigChange } from "@sluice/snapshot/config-version";
import { cacheTags } from "./cache-tags.ts";
import type { Ctx, Transaction } from "./context.ts";

/** A context inside a transaction. */
export type TxCtx = Ctx & { transaction: Transaction };

/**
 * Runs `fn` in one transaction, or in the one that is already open. What it collected (configuration version, events, streams to end) is
 * sent by the outermost call after the commit, and not at all after a rollback. When it returns, this process uses the new configuration.
 * @throws SluiceError `conflict` when it conflicts with another change (see {@link conflictOf}); whatever `fn` throws.
 */
export async function withTransaction<T>(ctx: Ctx, fn: (ctx: TxCtx) => Promise<T>): Promise<T> {
  if (ctx.transaction) return fn(ctx as TxCtx);
  const collected: Omit<Transaction, "tx"> = { events: [], bumped: false, reauthorise: new Set(), reserved: [] };
  const state = { ...collected };
  const result = await ctx.prisma
    .$transaction(
      async (tx) => {
        const transaction: Transaction = Object.assign(state, { tx });
        const result = await fn({ ...ctx, transaction });
        if (state.bumped) await raiseConfigVersion(ctx, tx);
        return result;
      },
      { maxWait: 5_000, timeout: 30_000 },
    )
    .catch((thrown: unknown) => {
      for (const id of state.reserved) ctx.credit.release(id);
      throw conflictOf(thrown) ?? thrown;
    });
  await announceCredit(ctx, state);
  if (state.bumped) await announceConfig(ctx);
  // Only now: from here on this process computes with the new configuration.
  await forgetAnswers(ctx, state.events);
  for (const event of state.events) ctx.live.bus.publish(event);
  for (const userId of state.reauthorise) {
    ctx.logins.forgetUser(userId);
    ctx.live.frames.disconnect(userId);
  }
  return result;
}

/** Applies the new balance to admission, and then releases the reservations that it replaces. */
async function announceCredit(ctx: Ctx, { events, reserved }: Omit<Transaction, "tx">): Promise<void> {
  const users = events.flatMap((event) => (event.type === "credit.changed" ? [event.userId] : []));
  if (users.length === 0) return;
  try {
    await ctx.credit.refresh(users);
  } catch (thrown) {
    // The entry is committed anyway: if it cannot be read back now, the next rebuild will.
    ctx.log.warn({ error: String(thrown) }, "the new balance could not be read back yet");
  }
  for (const id of reserved) ctx.credit.release(id);
}

/** Puts the new configuration in force here, then notifies the others; an instance that misses the message polls the version. */
async function announceConfig(ctx: Ctx): Promise<void> {
  try {
    await ctx.snapshot.refresh();
    if (ctx.redis) await announceConfigChange(ctx.redis, ctx.snapshot.current().version);
  } catch (thrown) {
    // The change is committed anyway: if it cannot be read back now, the version poll will.
    ctx.log.warn({ error: String(thrown) }, "the new configuration could not be read back yet");
  }
}

async function forgetAnswers({ cache }: Ctx, events: readonly LiveEvent[]): Promise<void> {
  const tags = cacheTags(events);
  if (tags === "all") await cache.invalidateAll();
  else await cache.invalidate(...tags);
}

/** Makes the commit raise the configuration version, so that every snapshot reloads. */
export function bumpConfigVersion(ctx: TxCtx): void {
  ctx.transaction.bumped = true;
}

/** Runs last: from here on every other change waits for this row, so this transaction must not need a lock that one of them holds. */
async function raiseConfigVersion({ tenantId }: Ctx, tx: Transaction["tx"]): Promise<void> {
  await tx.configVersion.upsert({
    where: { tenantId },
    create: { tenantId, version: 1n },
    update: { version: { increment: 1n } },
  });
}

/** Publishes an event after the commit. */
export function emit(ctx: TxCtx, event: LiveEvent): void {
  ctx.transaction.events.push(event);
}

interface DatabaseError {
  code?: unknown;
  meta?: { driverAdapterError?: { cause?: { kind?: unknown } } };
}

/**
 * Maps Prisma's P2002 (unique), P2003 (foreign key: a referenced row is gone, or the row to delete is still referenced) and P2034 (write
 * conflict, deadlock; P2010 when a raw statement notices it, such as one that locks) to the error that a caller may see.
 */
function conflictOf(thrown: unknown): SluiceError | null {
  const { code, meta } = (thrown ?? {}) as DatabaseError;
  const isConflict =
    ["P2002", "P2003", "P2034"].some((one) => one === code) ||
    (code === "P2010" && meta?.driverAdapterError?.cause?.kind === "TransactionWriteConflict");
  return isConflict ? new SluiceError("conflict", { detail: String(thrown), cause: thrown }) : null;
}
