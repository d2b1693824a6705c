import type { CostWindows } from "@sluice/core/limits/cost-windows";
import { appliedLimits, type LimitOwner } from "@sluice/core/limits/limit-values";
import { layoutOf } from "@sluice/core/limits/spend-book";
import type { Log } from "@sluice/core/log";
import type { RedisGate } from "@sluice/db/redis-gate";
import type { LimitedOwner } from "./admission.ts";
import { bookName, type OwnerAsk, type OwnerRef } from "./limit-keeper.ts";
import type { LocalLimits } from "./local-limits.ts";
import type { SharedLimits } from "./shared-limits.ts";
import type { SpendQuestion, SpendReader } from "./spend-reader.ts";

export interface SpendBooksOptions {
  /** null = the local books decide. */
  gate: RedisGate | null;
  local: LocalLimits;
  shared: SharedLimits;
  windows: () => CostWindows;
  nowMs: () => number;
  /** null = an empty ledger. */
  spend: SpendReader | null;
  log: Log;
}

/** Owners read from the ledger at once. */
const BATCH = 200;
/** Taken by whichever instance comes first; one of them rebuilds every 60 s. */
const REBUILD_LOCK = "sluice:limit:rebuild";
const REBUILD_LOCK_MS = 50_000;
/** The sums of owners that were idle for longer cannot have changed. */
const ACTIVE_MS = 5 * 60_000;

/**
 * Keeps the sums of what owners have spent consistent with the ledger, of which they are a cache: they are read when unknown, and
 * every minute for the owners in use.
 */
export function createSpendBooks({ gate, local, shared, windows, nowMs, spend, log }: SpendBooksOptions) {
  const reading = new Map<string, Promise<void>>();
  /** Owners whose cost the configuration limits, with the time since which their total counts. */
  let known = new Map<string, number>();
  let driftNanoUsd = 0;
  const intoRedis = (): boolean => gate?.isOpen() === true;

  async function readBatch(questions: readonly SpendQuestion[]): Promise<void> {
    const asked = { questions, windows: windows(), nowMs: nowMs() };
    const redis = intoRedis() ? gate : null;
    const idsOf = (ref: OwnerRef) => (redis ? redis.run((connection) => shared.idsOf(connection, ref)) : local.idsOf(ref));
    const answers = spend ? await spend({ ...asked, idsOf }) : questions.map((question) => emptyAnswer(question, asked.windows));
    for (const { ref, facts, visible } of answers) {
      const off = redis
        ? await redis.run((connection) => shared.rebuild(connection, ref, facts, visible))
        : local.rebuild(ref, facts, new Set(visible), asked.nowMs);
      driftNanoUsd = Math.max(driftNanoUsd, off);
    }
  }

  /** Callers that want the same owner share one read. */
  function read(owners: readonly SpendQuestion[]): Promise<void> {
    const missing = owners.filter((owner) => !reading.has(bookName(owner)));
    if (missing.length > 0) {
      const running = readBatch(missing).finally(() => {
        for (const owner of missing) reading.delete(bookName(owner));
      });
      running.catch(() => undefined);
      for (const owner of missing) reading.set(bookName(owner), running);
    }
    return Promise.all(owners.map((owner) => reading.get(bookName(owner)))).then(() => undefined);
  }

  /** The books in use, with the time since which their total counts. */
  async function inUse(): Promise<SpendQuestion[]> {
    const sinceMs = nowMs() - ACTIVE_MS;
    const names = gate ? await gate.run((redis) => shared.usedSince(redis, sinceMs)) : local.usedSince(sinceMs);
    return names.flatMap((name) => {
      const totalSinceMs = known.get(name);
      return totalSinceMs === undefined ? [] : { ...refOfName(name), totalSinceMs };
    });
  }

  return {
    /** Never throws: when the ledger cannot be read, the owners stay unknown. */
    read: (owners: readonly OwnerAsk[]): Promise<void> =>
      read(owners.map(({ owner, id, limits }) => ({ owner, id, totalSinceMs: limits.totalSinceMs }))).catch((error: unknown) => {
        log.warn({ error: String(error) }, "what was spent cannot be read from the ledger");
      }),
    /**
     * Sets whose cost is limited now. Books of owners that were not limited before have missed what was spent meanwhile, so they
     * are read again before their next request; the local ones also when Redis' books are read now and Redis fails later.
     */
    know(owners: readonly LimitedOwner[]): void {
      const now = new Map<string, number>();
      const fresh: SpendQuestion[] = [];
      for (const { owner, id, values } of owners) {
        const limits = appliedLimits(values);
        if (!limits?.costs) continue;
        const name = bookName({ owner, id });
        now.set(name, limits.totalSinceMs);
        if (known.get(name) === limits.totalSinceMs) continue;
        local.forget({ owner, id });
        fresh.push({ owner, id, totalSinceMs: limits.totalSinceMs });
      }
      known = now;
      void readAll(fresh).catch((error: unknown) => {
        log.warn({ error: String(error) }, "what was spent cannot be read from the ledger yet");
      });
    },
    /** @returns how many owners were reconciled; 0 when another instance does it. */
    async rebuild(instanceId: string): Promise<number> {
      if (gate && !gate.isOpen()) return 0;
      if (gate && !(await gate.run((redis) => redis.set(REBUILD_LOCK, instanceId, "PX", REBUILD_LOCK_MS, "NX")))) return 0;
      driftNanoUsd = 0;
      const owners = await inUse();
      await readAll(owners);
      return owners.length;
    },
    driftNanoUsd: () => driftNanoUsd,
  };

  async function readAll(owners: readonly SpendQuestion[]): Promise<void> {
    for (let at = 0; at < owners.length; at += BATCH) await read(owners.slice(at, at + BATCH));
  }
}

function refOfName(name: string): OwnerRef {
  const colon = name.indexOf(":");
  return { owner: name.slice(0, colon) as LimitOwner, id: name.slice(colon + 1) };
}

function emptyAnswer({ totalSinceMs, ...ref }: SpendQuestion, windows: CostWindows) {
  const fixed = Object.entries(windows.fixed).map(([kind, { startMs }]) => [kind, startMs]);
  const starts = { ...Object.fromEntries(fixed), total: totalSinceMs };
  return { ref, facts: { layout: layoutOf(windows, totalSinceMs), starts, sums: {}, buckets: new Map<number, number>() }, visible: [] };
}
