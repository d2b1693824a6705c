import { newId } from "@sluice/core/ids";
import type { Ctx } from "../context.ts";

/** The same attempt of the same person is noted once in this time, and no more than MOST_PER_MINUTE in all. */
const AGAIN_MS = 60_000;
const MOST_PER_MINUTE = 60;
const MOST_REMEMBERED = 1_000;

/** What was noted lately: `user action` → when. One a process. */
const lately = new Map<string, number>();
let minute = { startMs: Number.NEGATIVE_INFINITY, count: 0 };

/**
 * Notes in the audit that somebody who is signed in asked for what they may not do. Bounded, so that nobody fills the
 * table by asking; and beside the answer, which it neither delays nor changes.
 */
export function auditDenied(ctx: Ctx, action: string): void {
  const { actor } = ctx;
  if (actor.kind !== "user" || !mayNote(`${actor.userId} ${action}`, ctx.clock.monotonic())) return;
  const id = newId();
  ctx.prisma.auditEntry
    .create({
      data: {
        ...{ id, tenantId: ctx.tenantId, actorId: actor.userId, actorKind: "user", action, outcome: "denied" },
        ...{ targetKind: "access", targetId: "", ip: ctx.ip, requestId: ctx.requestId },
      },
    })
    .then(() => ctx.live.bus.publish({ type: "audit.added", id }))
    .catch((thrown: unknown) =>
      ctx.log.warn({ requestId: ctx.requestId, action, error: String(thrown) }, "a denied attempt was not audited"),
    );
}

function mayNote(key: string, nowMs: number): boolean {
  if (nowMs - minute.startMs >= 60_000) minute = { startMs: nowMs, count: 0 };
  const last = lately.get(key);
  if (minute.count >= MOST_PER_MINUTE || (last !== undefined && nowMs - last < AGAIN_MS)) return false;
  minute.count += 1;
  lately.delete(key);
  lately.set(key, nowMs);
  // The oldest go first: a Map keeps the order of insertion.
  for (const old of lately.keys()) {
    if (lately.size <= MOST_REMEMBERED) break;
    lately.delete(old);
  }
  return true;
}
