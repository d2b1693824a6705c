import type { BusId, LiveFrame } from "@sluice/core/events";
import type { Batch, ResetReason } from "./live-bus.ts";

/** A frame in transit: `from` is the id of the previous frame, `batches` what it was made of. */
export interface Tick {
  from: BusId;
  frame: LiveFrame;
  batches: readonly Batch[];
  /** Approximate size in bytes. */
  weight: number;
}

const MAX_FRAMES = 20;
/** A reader this far behind is closed: catching up by replay is cheaper than buffering for it. */
const MAX_BEHIND_BYTES = 1_000_000;
const MAX_STALL_MS = 10_000;

/** Ends a stream such that its client reconnects: tRPC completes on `return`, but reconnects on this error. */
export function abortError(message: string): DOMException {
  return new DOMException(message, "AbortError");
}

/** The bounded queue of one reader. */
export interface Subscriber {
  /** Whose stream it is; '' for an administrator's without a name. */
  readonly userId: string;
  push(tick: Tick, nowMs: number): void;
  /** The next frame, with what was dropped before it; null when ended. @throws AbortError when failed. */
  take(nowMs: () => number): Promise<Tick | null>;
  /** Makes `take` return null. */
  end(): void;
  /** Makes `take` throw; queued frames are no longer delivered. */
  fail(error: Error): void;
  /** Like `fail`, after the queued frames have been taken; nothing more is queued. */
  failAfterQueue(error: Error): void;
  readonly stopped: boolean;
  /** Resolves when ended or failed. */
  readonly whenStopped: Promise<void>;
}

/** Creates the queue: at most 20 frames; the oldest are dropped and counted. */
export function createSubscriber(userId: string): Subscriber {
  let queue: Tick[] = [];
  let lost: { events: number; reset: ResetReason | undefined } | null = null;
  let behindBytes = 0;
  let stalledSinceMs: number | null = null;
  let outcome: "ended" | Error | null = null;
  let ending: Error | null = null;
  let wake: (() => void) | null = null;
  const { promise: whenStopped, resolve: stop } = Promise.withResolvers<void>();

  function settle(result: "ended" | Error): void {
    outcome ??= result;
    queue = [];
    stop();
    wake?.();
  }

  return {
    userId,
    whenStopped,
    get stopped() {
      return outcome !== null;
    },
    push(tick, nowMs) {
      if (outcome !== null || ending) return;
      stalledSinceMs ??= nowMs;
      behindBytes += tick.weight;
      queue.push(tick);
      if (nowMs - stalledSinceMs > MAX_STALL_MS || (behindBytes > MAX_BEHIND_BYTES && queue.length > 1)) {
        settle(abortError("the reader is too far behind"));
        return;
      }
      if (queue.length > MAX_FRAMES) {
        const oldest = queue.shift()?.frame;
        lost = {
          events: (lost?.events ?? 0) + (oldest?.events.length ?? 0) + (oldest?.gap ?? 0),
          reset: oldest?.reset ?? lost?.reset,
        };
      }
      wake?.();
    },
    async take(nowMs) {
      while (outcome === null && queue.length === 0) {
        if (ending) {
          settle(ending);
          break;
        }
        behindBytes = 0;
        stalledSinceMs = null;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        wake = null;
      }
      if (outcome instanceof Error) throw outcome;
      const tick = queue.shift();
      if (outcome === "ended" || !tick) return null;
      behindBytes -= tick.weight;
      stalledSinceMs = queue.length > 0 ? nowMs() : null;
      const missing = lost;
      lost = null;
      return missing ? afterLoss(tick, missing) : tick;
    },
    end: () => settle("ended"),
    fail: settle,
    failAfterQueue(error) {
      ending = error;
      wake?.();
    },
  };
}

/** The tick with the losses before it recorded on a frame of its own. */
function afterLoss(tick: Tick, lost: { events: number; reset: ResetReason | undefined }): Tick {
  const gap = lost.events + (tick.frame.gap ?? 0);
  const reset = tick.frame.reset ?? lost.reset;
  return { ...tick, frame: { ...tick.frame, ...(gap > 0 && { gap }), ...(reset && { reset }) } };
}

/** The frame for a reader that has everything up to `last`: shared if possible, cut if it begins earlier. */
export function frameAfter(
  tick: Tick,
  last: BusId,
  compare: (a: BusId, b: BusId) => number,
  build: (batches: Batch[]) => LiveFrame["events"],
): LiveFrame | null {
  const order = compare(tick.frame.id, last);
  if (tick.frame.reset) return order <= 0 ? null : tick.frame;
  // From another epoch than the reader's: it precedes the reset that the reader has received.
  if (!(order > 0)) return null;
  if (compare(tick.from, last) >= 0 || tick.batches.length === 0) return tick.frame;
  const batches = tick.batches.filter((batch) => compare(batch.id, last) > 0);
  return batches.length === tick.batches.length ? tick.frame : { ...tick.frame, events: build(batches) };
}
