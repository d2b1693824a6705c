import { ChurningMap } from "@sluice/core/churning-map";
import type { Clock } from "@sluice/core/clock";
import { SluiceError } from "@sluice/core/errors";
import type { Settings } from "@sluice/core/inputs/settings";
import { type CostWindows, costWindows } from "@sluice/core/limits/cost-windows";
import { appliedLimits } from "@sluice/core/limits/limit-values";
import type { Log } from "@sluice/core/log";
import type { RedisGate } from "@sluice/db/redis-gate";
import type { AdmitAsk, LimitedOwner, Limits, Refusal, Used } from "./admission.ts";
import {
  bookName,
  type KeeperRefusal,
  type OwnerAsk,
  type OwnerRef,
  type Settlement,
  type TakeAsk,
  type TakeReply,
} from "./limit-keeper.ts";
import { createLimitTurns, type LimitTurns } from "./limit-turns.ts";
import { LocalLimits } from "./local-limits.ts";
import { type ClockReply, createSharedLimits, type End, type SharedHold } from "./shared-limits.ts";
import { createSpendBooks } from "./spend-books.ts";
import type { SpendReader } from "./spend-reader.ts";
import { createWaitingLines, type WaitSignal } from "./waiting-lines.ts";

export interface LimitsOptions {
  gate: RedisGate | null;
  clock: Clock;
  settings: () => Settings;
  leaseMs: number;
  /** How many processes share the limits: when Redis is lost, each grants its part. */
  instances: () => number;
  /** Reads what was spent from the ledger; null = nothing was. */
  spend: SpendReader | null;
  log: Log;
  /** For tests: replaces Redis' clock too. */
  testNow?: (() => number) | undefined;
}

/** What an admitted request holds. */
interface Holding {
  ask: TakeAsk;
  owners: readonly OwnerAsk[];
  second: number;
}

/** A request in line. */
interface Waiting {
  ask: TakeAsk;
  signal: WaitSignal | null;
  /** On the monotonic clock. */
  untilMs: number;
}

const RENEW_BATCH = 500;
/** How often Redis is asked for one request, when it lacks what the ledger knows or its clock has moved. */
const MOST_ASKS = 4;
/** Time until sums that Redis lost are reconciled with the ledger, which some instance does every minute. */
const FORGETFUL_MS = 120_000;
/** Maximum number of ends kept for Redis; beyond it they arrive with the ledger's sums. */
const MAX_UNTOLD = 10_000;

/**
 * Limits of keys, users, groups and providers. What the local books allow is requested from Redis, kept alive there, settled and
 * ended. Redis' books decide while it answers; without it, this process's books decide for its part.
 */
export function createLimits(options: LimitsOptions) {
  const { gate, clock, settings, leaseMs, instances, log } = options;
  const local = new LocalLimits();
  const shared = createSharedLimits(options.testNow);
  const holdings = new ChurningMap<string, Holding>();
  const untold: End[] = [];
  let skewMs = 0;
  /** On the monotonic clock: until then Redis may have lost ends that the ledger does not show yet. */
  let forgetfulUntilMs = Number.NEGATIVE_INFINITY;
  const decides = (): boolean => !gate?.isOpen();
  /** Redis' time if there is one: instances whose clocks differ still share their windows. */
  const nowMs = (): number => clock.now() + skewMs;
  const windows = windowsBy(settings, nowMs);
  const books = createSpendBooks({ gate, local, shared, windows, nowMs, spend: options.spend, log });
  const lines = createWaitingLines({ gate, local, shared, nowMs, leaseMs });
  const turns = gate && createLimitTurns({ gate, shared, leaseMs, onLost: remember });

  function takeLocally(ask: TakeAsk): TakeReply {
    return local.take(ask, gate ? Math.max(1, instances()) : 1);
  }

  /** @throws SluiceError `unavailable` when what was spent cannot be determined: that must not make anyone unlimited. */
  async function decideLocally(ask: TakeAsk): Promise<TakeReply> {
    const reply = takeLocally(ask);
    if (reply.kind !== "unknown") return reply;
    await books.read(reply.owners);
    const again = takeLocally(ask);
    if (again.kind === "unknown") throw unknownSpend();
    return again;
  }

  async function take(ask: TakeAsk): Promise<TakeReply> {
    if (decides() || !turns) return decideLocally(ask);
    const refusal = ownRefusal(ask);
    if (refusal) return refusal;
    let reply: TakeReply;
    try {
      const first = await turns.take(ask);
      reply = first.kind === "clock" || first.kind === "unknown" ? await askAgain(turns, ask, first) : first;
    } catch {
      // Redis failed, or what it lost cannot be read from the ledger now: the local books decide.
      return decideLocally(ask);
    }
    if (reply.kind !== "taken") return reply;
    const owners = ask.alternatives[reply.alternative] ?? [];
    // Only now, because a request that Redis refuses must not block the ones asked for meanwhile.
    local.hold(owners, ask);
    local.learn(owners, reply.used, ask);
    return reply;
  }

  /** A refusal that needs no query to Redis. */
  function ownRefusal(ask: TakeAsk): TakeReply | null {
    const refusal = local.refusal(ask, clock.monotonic() < forgetfulUntilMs);
    return refusal && { kind: "refused", refusal };
  }

  /** Gives Redis what it lacked for an answer, and asks it again. */
  async function askAgain(turns: LimitTurns, ask: TakeAsk, first: TakeReply | ClockReply): Promise<TakeReply> {
    let asked = ask;
    let reply = first;
    for (let asks = 1; ; asks++) {
      if (reply.kind === "clock") {
        skewMs = reply.redisNowMs - clock.now();
        asked = { ...ask, nowMs: nowMs(), windows: windows() };
      } else if (reply.kind === "unknown") {
        if (reply.owners.some((owner) => local.isKnown(owner, asked))) forgetfulUntilMs = clock.monotonic() + FORGETFUL_MS;
        await books.read(reply.owners);
        const refusal = ownRefusal(asked);
        if (refusal) return refusal;
      } else return reply;
      if (asks === MOST_ASKS) throw unknownSpend();
      reply = await turns.take(asked);
    }
  }

  function hold(key: string, ask: TakeAsk, reply: TakeReply): void {
    if (reply.kind !== "taken") return;
    // Taken again, it is counted in the second of the first time.
    const second = holdings.get(key)?.second ?? reply.second;
    holdings.set(key, { ask, owners: ask.alternatives[reply.alternative] ?? [], second });
  }

  async function admit(key: string, ask: TakeAsk, request: AdmitAsk): Promise<Refusal | null> {
    const reply = await take(ask);
    if (reply.kind === "taken") {
      hold(key, ask, reply);
      return null;
    }
    if (reply.kind === "unknown") throw unknownSpend();
    const refusal = toRefusal(reply.refusal, nowMs());
    const untilMs = clock.monotonic() + ask.queueMs;
    const waited = await waitInLine(reply.refusal, { ask, signal: request.signal ?? null, untilMs });
    if (waited === null || waited.kind === "unknown") return refusal;
    if (waited.kind === "refused") return toRefusal(waited.refusal, nowMs());
    hold(key, ask, waited);
    return null;
  }

  /**
   * Waits for a slot at the owner that has none. If another owner has none by then, it waits there, among those who came when it did: in a
   * line stand only those whom its owner keeps waiting. null = the line is full, the time is over or the client has gone.
   */
  async function waitInLine(refused: KeeperRefusal, { ask, signal, untilMs }: Waiting): Promise<TakeReply | null> {
    let answer: TakeReply | null = null;
    let refusal = refused;
    let since: number | undefined;
    for (;;) {
      const size = queueSize(settings(), refusal);
      const name = bookName(refusal.ask);
      if (size === 0) return answer;
      const leftMs = Math.max(0, untilMs - clock.monotonic());
      const place = { ...refOf(refusal.ask), requestId: ask.id, size, waitMs: ask.queueMs, leftMs, since };
      const found: TakeReply | null = await lines.wait(place, signal, async (waitsSince) => {
        since = waitsSince;
        const again = await take({ ...ask, since, nowMs: nowMs(), windows: windows() });
        return isFull(again) && bookName(again.refusal.ask) === name ? "wait" : again;
      });
      if (!found || !isFull(found)) return found ?? answer;
      answer = found;
      refusal = found.refusal;
    }
  }

  function end(key: string, used: Used): void {
    const holding = holdings.get(key);
    if (!holding) return;
    holdings.delete(key);
    const end = endOf(holding, used);
    local.settle(end, end.settlements, nowMs(), gate === null);
    if (decides() && turns) remember(end);
    else turns?.end(end);
    for (const owner of holding.owners) lines.freed(owner);
  }

  function remember(end: End): void {
    if (untold.length < MAX_UNTOLD) untold.push(end);
  }

  function queueMs(): number {
    return settings()["limits.queuePerSlot"] > 0 ? settings()["limits.queueSeconds"] * 1000 : 0;
  }

  const limits: Limits = {
    admit(request) {
      const owners: OwnerAsk[] = [];
      for (const owner of request.owners) {
        const ask = ownerAsk(owner, request.costNanoUsd);
        if (ask) owners.push(ask);
      }
      if (owners.length === 0) return null;
      const { requestId: id, startedAtMs, tokens } = request;
      const ask = { id, startedAtMs, tokens, alternatives: [owners], windows: windows(), nowMs: nowMs(), queueMs: queueMs() };
      if (decides()) {
        // Nearly all are admitted at once. The others are asked for again: nothing of them was taken.
        const reply = takeLocally(ask);
        if (reply.kind === "taken") {
          hold(id, ask, reply);
          return null;
        }
      }
      return admit(id, ask, request);
    },
    async admitProvider(request) {
      const alternatives = request.candidates.map((owner) => {
        const ask = ownerAsk(owner, owner.costNanoUsd);
        return ask ? [ask] : [];
      });
      const { requestId: id, startedAtMs, tokens } = request;
      const ask = { id, startedAtMs, tokens, alternatives, windows: windows(), nowMs: nowMs(), queueMs: 0 };
      const reply = await take(ask);
      if (reply.kind === "unknown") throw unknownSpend();
      if (reply.kind === "refused") return { taken: null, refusal: toRefusal(reply.refusal, nowMs()) };
      const provider = request.candidates[reply.alternative];
      if (provider && alternatives[reply.alternative]?.length) hold(providerKey(id, provider.id), ask, reply);
      return { taken: reply.alternative, refusal: null };
    },
    settle: (requestId, used) => end(requestId, used),
    settleProvider: (requestId, providerId, used) => end(providerKey(requestId, providerId), used),
    release: (requestId) => end(requestId, nothingUsed),
    async usage(owner) {
      const ref = refOf(owner);
      // Includes everything that has ended by now.
      void turns?.send();
      const own = () => local.usage(ref, windows(), nowMs());
      const read = () => (gate?.isOpen() ? gate.run((redis) => shared.usage(redis, ref, windows())).catch(own) : own());
      const usage = await read();
      const ask = ownerAsk(owner, 0);
      if (usage.spent !== null || !ask?.limits.costs) return usage;
      await books.read([ask]);
      return read();
    },
    windows,
    know: (owners) => books.know(owners),
    driftNanoUsd: () => books.driftNanoUsd(),
  };

  return {
    limits,
    /** Extends what is held and the places in lines, then sends the ends that could not be sent before. */
    renew(): void {
      if (!gate) return;
      const batch: SharedHold[] = [];
      const flush = (): void => {
        const sent = batch.splice(0);
        if (sent.length > 0) gate.send((redis) => shared.renew(redis, sent, leaseMs));
      };
      for (const { ask, owners } of holdings.values()) {
        for (const owner of owners) {
          const costNanoUsd = owner.limits.costs ? owner.costNanoUsd : null;
          if (batch.push({ requestId: ask.id, ref: refOf(owner), costNanoUsd }) >= RENEW_BATCH) flush();
        }
      }
      flush();
      if (!gate.isOpen()) return;
      lines.renew();
      for (const end of untold.splice(0)) turns?.end(end);
    },
    /** Reconciles the sums with the ledger; one instance does it for all. */
    rebuild: (instanceId: string) => books.rebuild(instanceId),
    sweep: () => local.sweep(nowMs()),
    /** Ends what a stopping process still holds; bounded by the gate's timeout. */
    async close(): Promise<void> {
      lines.close();
      for (const holding of holdings.values()) turns?.end(endOf(holding, { costNanoUsd: 0, tokens: holding.ask.tokens }));
      await turns?.send();
    },
  };
}

const UNKNOWN = "what was spent is not known";
const nothingUsed: Used = { costNanoUsd: 0, tokens: 0 };

function endOf({ ask, owners, second }: Holding, { costNanoUsd, tokens }: Used): End {
  const settlements = owners.map((owner): Settlement => ({ ...owner, costNanoUsd, tokens, estimatedTokens: ask.tokens, second }));
  return { id: ask.id, startedAtMs: ask.startedAtMs, settlements };
}

function unknownSpend(): SluiceError {
  return new SluiceError("unavailable", { detail: UNKNOWN, retryAfterS: 1 });
}

function providerKey(requestId: string, providerId: string): string {
  return `${requestId} ${providerId}`;
}

function refOf({ owner, id }: OwnerRef): OwnerRef {
  return { owner, id };
}

function ownerAsk({ owner, id, values }: LimitedOwner, costNanoUsd: number): OwnerAsk | null {
  const limits = appliedLimits(values);
  return limits && { owner, id, limits, costNanoUsd: limits.costs ? costNanoUsd : 0 };
}

/** Whether a missing in-flight slot is the reason. */
function isFull(reply: TakeReply): reply is Extract<TakeReply, { kind: "refused" }> {
  return reply.kind === "refused" && reply.refusal.limit === "in_flight";
}

/** 0 = no waiting: there is no line, or releasing a slot would not help. */
function queueSize(settings: Settings, { limit, ask }: KeeperRefusal): number {
  const perSlot = settings["limits.queuePerSlot"];
  return limit === "in_flight" && perSlot > 0 ? Math.max(Math.floor((ask.limits.inFlight ?? 0) * perSlot), 3) : 0;
}

/** The windows in force, recomputed when one of them ends or their rules change. */
function windowsBy(settings: () => Settings, nowMs: () => number): () => CostWindows {
  let made: { of: Settings; windows: CostWindows; fromMs: number } | null = null;
  return () => {
    const now = nowMs();
    const of = settings();
    if (made?.of !== of || now >= made.windows.untilMs || now < made.fromMs) {
      const rules = {
        zone: of["time.zone"],
        fiveHours: of["limits.fiveHourWindow"],
        day: of["limits.dayWindow"],
        dayAt: of["limits.dayStartsAt"],
      };
      made = { of, windows: costWindows(rules, now), fromMs: now };
    }
    return made.windows;
  };
}

function toRefusal({ ask, limit, used, onlyReserved, freesAtMs }: KeeperRefusal, nowMs: number): Refusal {
  const { limits } = ask;
  const value = limit === "in_flight" ? limits.inFlight : limit === "rpm" || limit === "tpm" ? limits[limit] : limits.costs?.[limit];
  const waitS = freesAtMs === null ? null : Math.max(1, Math.ceil((freesAtMs - nowMs) / 1000));
  return {
    ...{ limit, owner: ask.owner, ownerId: ask.id, value: value ?? 0, used, wantedNanoUsd: ask.costNanoUsd },
    resetAtMs: freesAtMs,
    retryAfterS: onlyReserved ? 1 : waitS,
  };
}
