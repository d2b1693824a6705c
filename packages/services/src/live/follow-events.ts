import { type Audience, type LiveFrame, topics } from "@sluice/core/events";
import { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { isStillSignedIn } from "../logins/is-still-signed-in.ts";
import { audienceOf } from "../logs/shape-log.ts";
import { parse } from "../parse.ts";

const position = z.string().max(80).nullish();

/**
 * `lastEventId` is where a dropped connection was; `after` the position that a list was read at. The former wins.
 * `topics` says what of it is wanted, absent = everything; who wants others comes again from the last id.
 */
export const FollowEventsInput = z.strictObject({
  lastEventId: position,
  after: position,
  topics: z.array(z.enum(topics)).max(10).optional(),
});

/** Streams live as long at most; a reconnect is authorised anew. The jitter keeps them from coming back all at once. */
const LIFETIME = { baseMs: 9 * 60_000, jitterSeconds: 120 };

/**
 * What the actor may see, as it happens: administrators everything, users what is theirs, who has a key what came by it. When its time is over or the
 * user's rights changed it ends with an AbortError, which makes clients reconnect; it ends quietly when `signal` aborts.
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
  // Whole seconds: Node keeps one list of timers for each duration.
  const timer = setTimeout(end, LIFETIME.baseMs + Math.ceil(Math.random() * LIFETIME.jitterSeconds) * 1_000);
  ctx.streams.add(end);
  signal?.addEventListener("abort", end, { once: true });
  if (signal?.aborted) end();
  try {
    for await (const frame of ctx.live.frames.subscribe(audience, lastEventId ?? after ?? "", lifetime.signal)) {
      yield frame;
      // What was lost may have been a change of rights.
      if ((frame.reset || frame.gap) && !(await isStillSignedIn(ctx))) break;
    }
  } finally {
    clearTimeout(timer);
    ctx.streams.delete(end);
    // Whoever ended it may have changed the rights: what is remembered of them is not true any more.
    if (!signal?.aborted) ctx.logins.forgetUser(own);
    signal?.removeEventListener("abort", end);
  }
  if (!signal?.aborted) throw new DOMException("sign in again to go on", "AbortError");
}
