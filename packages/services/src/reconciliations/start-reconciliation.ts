import { SluiceError } from "@sluice/core/errors";
import type { Reconciliation } from "@sluice/core/events";
import { newId } from "@sluice/core/ids";
import { beginReconciliation, type ReconciliationProgress, type RunningReconciliation } from "@sluice/ledger/reconciliation";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { withTransaction } from "../transaction.ts";

/** Minimum interval between two progress events. */
const TELL_MS = 500;

/**
 * Starts a reconciliation in the background of this process and resolves with its initial state. Progress is pushed. It ends early when
 * the process stops.
 * @throws SluiceError `conflict`: one is already running, here or elsewhere.
 */
export async function startReconciliation(ctx: Ctx): Promise<Reconciliation> {
  requireAccess(ctx.actor, "admin");
  const running = await beginReconciliation(ctx.pool, { nowMs: ctx.clock.now() });
  if (!running) throw new SluiceError("conflict", { message: "A reconciliation is already running." });
  const begun: Reconciliation = {
    ...{ id: newId(), startedAtMs: ctx.clock.now(), finishedAtMs: null, state: "running", stepsDone: 0, unchecked: [], differences: [] },
    ...{ actorId: ctx.actor.kind === "user" ? ctx.actor.userId : "", steps: running.steps },
  };
  try {
    await withTransaction(ctx, async (ctx) => {
      const { id, actorId, startedAtMs, state, steps, stepsDone } = begun;
      const data = { id, tenantId: ctx.tenantId, actorId, startedAt: new Date(startedAtMs), state, steps, stepsDone, differences: [] };
      await ctx.transaction.tx.reconciliation.create({ data });
      await audit(ctx, { action: "ledger.reconcile", targetKind: "ledger", targetId: id, after: { steps } });
    });
  } catch (thrown) {
    running.release();
    throw thrown;
  }
  ctx.live.bus.publish({ type: "reconciliation.changed", reconciliation: begun });
  void follow(ctx, begun, running);
  return begun;
}

/** Never throws: the outcome is in the row and on the bus. */
async function follow(ctx: Ctx, begun: Reconciliation, running: RunningReconciliation): Promise<void> {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  ctx.streams.add(stop);
  let now = begun;
  let toldAtMs = begun.startedAtMs;
  const tell = async (change: Partial<Reconciliation>): Promise<void> => {
    now = { ...now, ...change };
    ctx.live.bus.publish({ type: "reconciliation.changed", reconciliation: now });
    await store(ctx, now);
  };
  const onStep = async (progress: ReconciliationProgress): Promise<void> => {
    if (ctx.clock.now() - toldAtMs < TELL_MS) return;
    toldAtMs = ctx.clock.now();
    await tell({ ...progress, unchecked: [...progress.unchecked], differences: [...progress.differences] });
  };
  try {
    const result = await running.run(onStep, stopping.signal);
    now = { ...now, ...result, state: "done", finishedAtMs: ctx.clock.now() };
    await store(ctx, now);
    await running.end();
    // Published last, because a reader may react by starting the next one.
    ctx.live.bus.publish({ type: "reconciliation.changed", reconciliation: now });
  } catch (thrown) {
    ctx.log.warn({ reconciliationId: begun.id, error: String(thrown) }, "a check of the books did not come to its end");
    await tell({ state: "stopped", finishedAtMs: ctx.clock.now() }).catch(() => undefined);
  } finally {
    running.release();
    ctx.streams.delete(stop);
  }
}

async function store({ prisma }: Ctx, { id, finishedAtMs, ...now }: Reconciliation): Promise<void> {
  const { state, stepsDone, unchecked } = now;
  const finishedAt = finishedAtMs === null ? null : new Date(finishedAtMs);
  const differences = now.differences.map((one) => ({ ...one }));
  await prisma.reconciliation.update({ where: { id }, data: { state, stepsDone, unchecked, finishedAt, differences } });
}
