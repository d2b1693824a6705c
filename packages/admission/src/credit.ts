/**
 * What a prepaid user's credit still covers. A request reserves the most it may cost, its end replaces that by the actual
 * cost, and its committed row takes it out of both the balance and the reservations in one step. So the remainder
 *
 *   balance - holds - floor - (reserved + spent and not yet committed)
 *
 * is exact at any moment, needs no database query per request, and never counts a cent twice. Redis keeps it for all
 * instances (Lua); the twin in each process keeps its own part all the time. Balances come from Postgres: when a user is
 * first seen, after every entry, and every minute for users with recent requests.
 *
 * When Redis is unavailable, a single instance continues exactly with its twin. Of several, none knows what the others grant,
 * so prepaid requests are refused with a Retry-After. The same applies after Redis was emptied, until every instance has
 * put its part back.
 */
import { type Clock, systemClock } from "@sluice/core/clock";
import { SluiceError } from "@sluice/core/errors";
import type { Log } from "@sluice/core/log";
import { createRedisGate } from "@sluice/db/redis-gate";
import type { Redis } from "ioredis";
import { createLocalCredit } from "./local-credit.ts";
import { createSharedCredit } from "./shared-credit.ts";

/** Committed state: balance - holds - floor of each user, nano-USD, and which of the given requests it includes. */
export interface CommittedCredit {
  availableNanoUsd: Map<string, number>;
  settled: Set<string>;
}

/** Reads both in one snapshot. A user without an account has nothing. */
export type LoadCredit = (userIds: readonly string[], requestIds: readonly string[]) => Promise<CommittedCredit>;

export interface CreditRefusal {
  availableNanoUsd: number;
  neededNanoUsd: number;
}

export interface CreditStats {
  /** Users whose credit is known here. */
  users: number;
  /** Reserved, or spent and not yet committed, by this process; nano-USD. */
  openNanoUsd: number;
  rebuilds: number;
  /** Other processes that admit requests, as last reported by Redis; null = not reported yet. */
  others: number | null;
  /** Sum of the absolute corrections by rebuilds since the start; nano-USD. */
  driftNanoUsd: number;
}

export interface Credit {
  /**
   * Reserves an amount under an id. null = done.
   * @throws SluiceError `unavailable` when the remainder cannot be determined.
   */
  reserve(id: string, userId: string, amountNanoUsd: number): Promise<CreditRefusal | null>;
  /** The request cost this; its row will follow. Never throws, nor do the following. */
  spend(id: string, amountNanoUsd: number): void;
  /** Nothing will be charged. */
  release(id: string): void;
  /** These rows are committed, so the balance includes them. Ids that are unknown here are ignored. */
  settled(ids: readonly string[]): void;
  /** Restores ends from before a restart that are not committed yet. */
  restore(ends: readonly { id: string; userId: string; costNanoUsd: number }[]): void;
  /** The accounts of these users changed: reads them again. */
  refresh(userIds: readonly string[]): Promise<void>;
  stats(): CreditStats;
  close(): Promise<void>;
}

export interface CreditOptions {
  /** null = a single process: only the twin. */
  redis: Redis | null;
  clock?: Clock;
  log: Log;
  instanceId: string;
  load: LoadCredit;
  /** Whether this process admits requests: only such processes count as sharing the credit. */
  admits: boolean;
  /** Users whose balances were moved by committed rows, collected over two seconds. */
  onMoved: (userIds: readonly string[]) => void;
  /** For tests. */
  timing?: Partial<CreditTiming>;
}

interface CreditTiming {
  rebuildMs: number;
  /** Interval of signs of life, which also detect that Redis was emptied. */
  beatMs: number;
  /** How long a reservation outlives its process. */
  holdMs: number;
  movedMs: number;
  /** Timeout of Redis commands. */
  commandMs: number;
}

const defaultTiming: CreditTiming = { rebuildMs: 60_000, beatMs: 10_000, holdMs: 15 * 60_000, movedMs: 2_000, commandMs: 200 };
/** Users without open reservations are forgotten after this long. */
const IDLE_MS = 10 * 60_000;

/** Over Redis with the in-process twin, or the twin alone. */
export function createCredit(options: CreditOptions): Credit {
  const { redis, clock = systemClock, log, instanceId, load, admits, onMoved } = options;
  const timing = { ...defaultTiming, ...options.timing };
  const gate =
    redis &&
    createRedisGate({
      redis,
      log,
      meanwhile: "credit is kept by this process alone",
      timeoutMs: timing.commandMs,
      onRecover: recover,
    });
  const local = createLocalCredit(load, () => clock.monotonic());
  const shared = gate ? createSharedCredit({ gate, load, instanceId, admits, ownOf: local.openOf, ...timing }) : null;
  const moved = new Set<string>();
  let movedTimer: NodeJS.Timeout | null = null;
  let rebuilds = 0;
  let driftNanoUsd = 0;
  let rebuilding: Promise<void> | null = null;

  const unavailable = (detail: string): SluiceError =>
    new SluiceError("unavailable", { message: "The credit cannot be checked right now. Try again.", detail, retryAfterS: 5 });

  /** Corrects this process's part in Redis, then reads the balances. */
  async function rebuild(userIds: readonly string[], { isCounted }: { isCounted: boolean }): Promise<void> {
    let drift = 0;
    try {
      if (shared && gate?.isOpen()) {
        for (const userId of userIds) drift += await shared.rebuild(userId);
        await local.load(userIds);
      } else drift += await local.load(userIds);
    } finally {
      if (isCounted) {
        rebuilds += 1;
        driftNanoUsd += drift;
        if (drift > 0) log.warn({ driftNanoUsd: drift }, "the reserved credit had drifted from the accounts and was put right");
      }
    }
  }

  /**
   * Puts this process's part back into Redis, where it lapses unless it is renewed and which may have missed some of it. Needs no balances,
   * so it also happens while Postgres is down, when nothing that was spent is committed.
   */
  function putBack(): void {
    for (const userId of local.users()) shared?.put(userId, local.openOf(userId));
  }

  function recover(): void {
    putBack();
    void beat().then(rebuildAll);
  }

  function rebuildAll(): Promise<void> {
    putBack();
    rebuilding ??= rebuild(local.users(), { isCounted: true })
      .catch((error: unknown) => log.warn({ error: String(error) }, "balances could not be read; trying again in a minute"))
      .finally(() => {
        rebuilding = null;
      });
    return rebuilding;
  }

  async function beat(): Promise<void> {
    if (!shared || !gate?.isOpen()) return;
    const emptied = await shared.beat().catch(() => false);
    if (emptied) await rebuildAll();
  }

  const tickers = [
    setInterval(() => {
      local.sweep(IDLE_MS);
      void rebuildAll();
    }, timing.rebuildMs),
    setInterval(() => void beat(), timing.beatMs),
  ];
  for (const ticker of tickers) ticker.unref();
  void beat();

  return {
    async reserve(id, userId, amount) {
      if (!shared) {
        await local.known(userId).catch((error: unknown) => {
          throw unavailable(`balance: ${String(error)}`);
        });
        return local.take(id, userId, amount);
      }
      try {
        const refusal = await shared.reserve({ id, userId, amount, onGranted: () => local.put(id, userId, amount) });
        if (refusal === "wait") throw unavailable("Redis was emptied; the instances are putting their parts back");
        if (refusal) return refusal;
        // If Redis becomes unavailable, the twin needs to know the balance to start from.
        void local.known(userId).catch(() => undefined);
        return null;
      } catch (error) {
        if (error instanceof SluiceError && error.code === "unavailable" && gate?.isOpen()) throw error;
        const isAlone = shared.others() === 0 && local.isKnown(userId);
        const refusal = isAlone ? local.take(id, userId, amount) : null;
        // Redis may still grant it, later, or may never hear of it.
        if (local.isOpen(id)) shared.put(userId, [[id, amount]]);
        else shared.drop(userId, id);
        if (!isAlone) throw unavailable(`Redis: ${String(error)}`);
        return refusal;
      }
    },
    spend(id, amount) {
      const userId = local.change(id, amount);
      if (userId !== null) shared?.put(userId, [[id, amount]]);
    },
    release(id) {
      const userId = local.drop(id);
      if (userId !== null) shared?.drop(userId, id);
    },
    settled(ids) {
      for (const [userId, settled] of local.settle(ids)) {
        shared?.settle(userId, settled);
        moved.add(userId);
      }
      if (moved.size === 0 || movedTimer) return;
      movedTimer = setTimeout(() => {
        movedTimer = null;
        onMoved([...moved]);
        moved.clear();
      }, timing.movedMs);
      movedTimer.unref();
    },
    restore(ends) {
      for (const { id, userId, costNanoUsd } of ends) {
        local.put(id, userId, costNanoUsd);
        shared?.put(userId, [[id, costNanoUsd]]);
      }
    },
    refresh: (userIds) => rebuild(userIds, { isCounted: false }),
    stats: () => ({ users: local.users().length, openNanoUsd: local.open(), rebuilds, others: shared ? shared.others() : 0, driftNanoUsd }),
    async close() {
      for (const ticker of tickers) clearInterval(ticker);
      if (movedTimer) clearTimeout(movedTimer);
      await rebuilding;
      await shared?.close();
      gate?.close();
    },
  };
}
