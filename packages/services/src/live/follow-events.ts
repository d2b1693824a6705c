import { type Audience, type LiveFrame, topics } from "@sluice/core/events";
import { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { isStillSignedIn } from "../logins/is-still-signed-in.ts";
import { audienceOf } from "../logs/shape-log.ts";
import { parse } from "../parse.ts";

const position = z.string().max(80).nullish();

/**
 * `lastEventId` is the position at which a connection broke; `after` the position at which a list was read. The former takes precedence.
 * `topics` selects events, absent = all; to change it, a client reconnects with its last id.
 */
export const FollowEventsInput = z.strictObject({
  lastEventId: position,
  after: position,
  topics: z.array(z.enum(topics)).max(10).optional(),
});

/** Maximum lifetime of a stream; every reconnect is authorised again. The jitter keeps clients from reconnecting all at once. */
const LIFETIME = { baseMs: 9 * 60_000, jitterSeconds: 120 };

/**
 * Streams the events that the actor may see: all for administrators, their own for users, and for holders of a key those of that key.
 * When its lifetime is over or the user's rights change, it throws an AbortError, which makes clients reconnect; it ends without an error
 * when `signal` aborts.
 */
export async function* followEvents(
  ctx: Ctx,
  input: z.input<typeof FollowEventsInput> | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<LiveFrame, void, void> {
  requireAccess(ctx.actor, "key");
  const { topics: wanted, lastEventId, after } = parse(FollowEventsInput, input ?? {});
  const own = ctx.actor.kind === "user" || ctx.actor.kind === "key" ? ctx.actor.userId : "system";
  const audience: Audience = { ...audienceOf(ctx), userId: own, ...(wanted && { topics: wanted }) };
  const lifetime = new AbortController();
  const end = (): void => lifetime.abort();
  // Whole seconds, because Node keeps one timer list per duration.
  const timer = setTimeout(end, LIFETIME.baseMs + Math.ceil(Math.random() * LIFETIME.jitterSeconds) * 1_000);
  ctx.streams.add(end);
  signal?.addEventListener("abort", end, { once: true });
  if (signal?.aborted) end();
  try {
    for await (const frame of ctx.live.frames.subscribe(audience, lastEventId ?? after ?? "", lifetime.signal)) {
      yield frame;
      // The lost events may include a change of rights.
      if ((frame.reset || frame.gap) && !(await isStillSignedIn(ctx))) break;
    }
  } finally {
    clearTimeout(timer);
    ctx.streams.delete(end);
    // The stream may have ended because rights changed, so the cached login cannot be trusted.
    if (!signal?.aborted) ctx.logins.forgetUser(own);
    signal?.removeEventListener("abort", end);
  }
  if (!signal?.aborted) throw new DOMException("sign in again to go on", "AbortError");
}
