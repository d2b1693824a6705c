import { newId } from "@sluice/core/ids";
import type { Ctx } from "../context.ts";

/** The same attempt by the same user is recorded once in this interval, and at most MOST_PER_MINUTE attempts in all. */
const AGAIN_MS = 60_000;
const MOST_PER_MINUTE = 60;
const MOST_REMEMBERED = 1_000;

/** Recently recorded attempts: `user action` → time. One map per process. */
const lately = new Map<string, number>();
let minute = { startMs: Number.NEGATIVE_INFINITY, count: 0 };

/**
 * Records that a signed-in user asked for something forbidden. Bounded, so that nobody can flood the table; not awaited, so that it
 * neither delays nor changes the response.
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
  // Evicts the oldest first: a Map iterates in insertion order.
  for (const old of lately.keys()) {
    if (lately.size <= MOST_REMEMBERED) break;
    lately.delete(old);
  }
  return true;
}
