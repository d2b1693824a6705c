import { followChannel } from "@sluice/db/follow-channel";
import type { RedisGate } from "@sluice/db/redis-gate";
import { bookName, type OwnerRef, type QueuePlace } from "./limit-keeper.ts";
import type { LocalLimits } from "./local-limits.ts";
import { freedChannel, type SharedLimits } from "./shared-limits.ts";

/** Signals that a waiting client has gone: an AbortSignal, or the gateway's own implementation. */
export interface WaitSignal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

interface Waiter {
  place: QueuePlace & { since: number };
  wake(): void;
}

/** Tries to run what waits since then. */
type Attempt<T> = (since: number) => Promise<T | "wait">;

export interface WaitingLinesOptions {
  gate: RedisGate | null;
  local: LocalLimits;
  shared: SharedLimits;
  nowMs: () => number;
  leaseMs: number;
}

/**
 * Lines for in-flight slots, first come first served across all instances: the order is kept in Redis (or in the local books),
 * while the waiting happens here. The first waiter of this process tries when a slot is released anywhere, when places are
 * renewed, because a process that dies releases its slots and places without a word, and once more when its time is over.
 */
export function createWaitingLines({ gate, local, shared, nowMs, leaseMs }: WaitingLinesOptions) {
  const lines = new Map<string, Set<Waiter>>();
  let unfollow: (() => void) | null = null;

  const wakeFirst = (name: string): void => {
    let first: Waiter | null = null;
    for (const waiter of lines.get(name) ?? []) if (!first || waiter.place.since < first.place.since) first = waiter;
    first?.wake();
  };

  function follow(): void {
    if (!gate || unfollow) return;
    unfollow = followChannel(gate.redis, freedChannel, {
      onMessage: wakeFirst,
      onSubscribed: () => {
        for (const name of lines.keys()) wakeFirst(name);
      },
    });
  }

  const join = (place: QueuePlace): Promise<number | null> => {
    const here = (): number | null => local.join(place, nowMs());
    return gate?.isOpen() ? gate.run((redis) => shared.join(redis, place, leaseMs)).catch(here) : Promise.resolve(here());
  };

  const leave = (ref: OwnerRef, requestId: string): void => {
    local.leave(ref, requestId);
    if (gate?.isOpen()) gate.send((redis) => shared.leave(redis, ref, requestId));
  };

  return {
    /** Waits until `attempt` returns something other than "wait"; null = the line was full, the time is over, or the client has gone. */
    async wait<T extends object>(place: QueuePlace, signal: WaitSignal | null, attempt: Attempt<T>): Promise<T | null> {
      const ref = { owner: place.owner, id: place.id };
      const name = bookName(ref);
      follow();
      const since = signal?.aborted ? null : await join(place);
      if (since === null) return null;
      const line = lines.get(name) ?? new Set();
      lines.set(name, line);
      let bell = Promise.withResolvers<void>();
      const waiter: Waiter = { place: { ...place, since }, wake: () => bell.resolve() };
      line.add(waiter);
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        waiter.wake();
      }, place.leftMs);
      const onGone = (): void => waiter.wake();
      signal?.addEventListener("abort", onGone);
      try {
        // A slot may have been released while joining the line.
        waiter.wake();
        for (;;) {
          await bell.promise;
          bell = Promise.withResolvers();
          if (signal?.aborted) return null;
          const found = await attempt(since);
          if (found !== "wait") return found;
          if (isLate) return null;
        }
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onGone);
        line.delete(waiter);
        if (line.size === 0) lines.delete(name);
        leave(ref, place.requestId);
        // The next waiter may find another slot, or ours.
        wakeFirst(name);
      }
    },
    /** A slot was released by this process. */
    freed(owner: OwnerRef): void {
      if (lines.size > 0) wakeFirst(bookName(owner));
    },
    /** Keeps the places of this process's waiters. */
    renew(): void {
      for (const [name, waiters] of lines) {
        for (const { place } of waiters) gate?.send((redis) => shared.join(redis, place, leaseMs));
        wakeFirst(name);
      }
    },
    close(): void {
      unfollow?.();
    },
  };
}
