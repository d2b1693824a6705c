import type { LiveFrame } from "@sluice/core/events";
import { z } from "zod";
import { ownScope } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";

const position = z.string().max(80).nullish();

/** `lastEventId` is where a dropped connection was; `after` the position that a list was read at. The former wins. */
export const FollowEventsInput = z.strictObject({ lastEventId: position, after: position });

/** Streams live as long at most; a reconnect is authorised anew. The jitter keeps them from coming back all at once. */
const LIFETIME_MS = { base: 9 * 60_000, jitter: 2 * 60_000 };

/**
 * What the actor may see, as it happens: administrators everything, users what is theirs. Ends with an AbortError when
 * its time is over, which makes clients reconnect; ends quietly when `signal` aborts.
 */
export async function* followEvents(
  ctx: Ctx,
  input: z.input<typeof FollowEventsInput> | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<LiveFrame, void, void> {
  const { lastEventId, after } = parse(FollowEventsInput, input ?? {});
  const userId = ownScope(ctx);
  const audience = userId === null ? ({ kind: "admin" } as const) : ({ kind: "user", userId } as const);
  const lifetime = new AbortController();
  const end = (): void => lifetime.abort();
  const timer = setTimeout(end, LIFETIME_MS.base + Math.random() * LIFETIME_MS.jitter);
  signal?.addEventListener("abort", end, { once: true });
  if (signal?.aborted) end();
  try {
    yield* ctx.live.frames.subscribe(audience, lastEventId ?? after ?? "", lifetime.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
  }
  if (!signal?.aborted) throw new DOMException("the stream's time is over", "AbortError");
}
