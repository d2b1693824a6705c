import type { RedisGate } from "@sluice/db/redis-gate";
import type { TakeAsk, TakeReply } from "./limit-keeper.ts";
import type { ClockReply, End, SharedLimits } from "./shared-limits.ts";

export interface LimitTurnsOptions {
  gate: RedisGate;
  shared: SharedLimits;
  leaseMs: number;
  /** Called for each end that Redis may not have received. */
  onLost: (end: End) => void;
}

interface Asked {
  ask: TakeAsk;
  resolve(reply: TakeReply | ClockReply): void;
  reject(error: unknown): void;
}

/** Maximum number of asks, and of ends: a script blocks all of Redis while it runs. */
const MOST = 64;

/**
 * Sends what requests ask of the shared books, and how they end, once per turn of the event loop as one script: at a thousand
 * requests per second, a command for each would cost this process and Redis more than all other work for a limit.
 *
 * An ask waits for the others of its turn. An end leaves right after the running callback, because the client's next request must
 * find it applied, on any instance.
 */
export function createLimitTurns({ gate, shared, leaseMs, onLost }: LimitTurnsOptions) {
  let asked: Asked[] = [];
  let ends: End[] = [];
  let endsLeave = false;
  let sending: NodeJS.Immediate | null = null;

  /** Sends everything that waits. Never rejects: errors go to the callers, and ends are handed back. */
  function send(): Promise<void> {
    if (sending) clearImmediate(sending);
    sending = null;
    endsLeave = false;
    if (asked.length + ends.length === 0) return Promise.resolve();
    const [sentAsks, sentEnds] = [asked, ends];
    asked = [];
    ends = [];
    return gate
      .run((redis) => shared.turn(redis, { asks: sentAsks.map(({ ask }) => ask), ends: sentEnds }, leaseMs))
      .then(
        (replies) =>
          sentAsks.forEach(({ resolve, reject }, index) => {
            const reply = Array.isArray(replies) ? replies[index] : replies;
            if (reply) resolve(reply);
            else reject(new Error("Redis did not answer all that was asked"));
          }),
        (error: unknown) => {
          for (const { reject } of sentAsks) reject(error);
          for (const end of sentEnds) onLost(end);
        },
      );
  }

  return {
    send,
    /** Takes all owners of the first alternative that has room across all instances, or nothing. @throws when Redis does not answer. */
    take(ask: TakeAsk): Promise<TakeReply | ClockReply> {
      // The asks of one script must be for the same windows.
      if (asked.length >= MOST || (asked[0] && asked[0].ask.windows !== ask.windows)) void send();
      return new Promise((resolve, reject) => {
        asked.push({ ask, resolve, reject });
        sending ??= setImmediate(send);
      });
    },
    /** Ends a request at its owners. */
    end(end: End): void {
      if (ends.push(end) >= MOST) void send();
      if (endsLeave || ends.length === 0) return;
      endsLeave = true;
      process.nextTick(send);
    },
  };
}

export type LimitTurns = ReturnType<typeof createLimitTurns>;
