import { type CostWindows, SPEND_BUCKET_MS } from "@sluice/core/limits/cost-windows";
import type { AppliedLimits, CostKind, LimitKind } from "@sluice/core/limits/limit-values";
import { layoutOf, type SpendFacts } from "@sluice/core/limits/spend-book";
import { runScript } from "@sluice/db/redis-script";
import type { Redis } from "ioredis";
import {
  bookName,
  type OwnerAsk,
  type OwnerRef,
  type OwnerUsage,
  type QueuePlace,
  type Settlement,
  type TakeAsk,
  type TakeReply,
} from "./limit-keeper.ts";
import { joinScript, rebuildScript, renewScript, usageScript } from "./limit-scripts.ts";
import { turnScript } from "./turn-script.ts";

/** A hold that is kept alive. */
export interface SharedHold {
  requestId: string;
  ref: OwnerRef;
  /** Reserved, nano-USD; null = the owner's cost is not limited. */
  costNanoUsd: number | null;
}

/** The end of a request, at its owners. */
export interface End {
  id: string;
  startedAtMs: number;
  settlements: readonly Settlement[];
}

/** What is sent to Redis at once. */
export interface Turn {
  asks: readonly TakeAsk[];
  ends: readonly End[];
}

/** Redis' clock differs: the windows have to be made for it. */
export interface ClockReply {
  kind: "clock";
  redisNowMs: number;
}

const PREFIX = "sluice:limit:";
/** Owners with a limited cost, by their last use. */
const SPENDERS = `${PREFIX}spenders`;
/** Channel that names an owner with a free slot while others wait. */
export const freedChannel = `${PREFIX}freed`;

/** The books on Redis: one round trip per call. `testNow` replaces Redis' clock. */
export function createSharedLimits(testNow?: () => number) {
  const at = (): { now?: number } => (testNow ? { now: testNow() } : {});

  return {
    /**
     * Everything that begins and ends together, in one script: the ends first, then each ask takes all owners of its first alternative
     * that has room across all instances, or nothing. All asks have the same windows. @returns a reply per ask.
     */
    async turn(redis: Redis, { asks, ends }: Turn, leaseMs: number): Promise<TakeReply[] | ClockReply> {
      const [first] = asks;
      const named = new NamedOwners(first?.windows ?? null);
      // As text: objects for all of this, and JSON.stringify for them, would cost more than the rest of sending it.
      const ended = ends.map((end) => endText(end, named)).join();
      const asked = asks.map((ask) => askText(ask, named)).join();
      const common = JSON.stringify({
        ...at(),
        ...(first && { at: first.nowMs, ...windowsOf(first.windows) }),
        leaseMs,
        owners: named.messages,
      });
      const message = `${common.slice(0, -1)},"ends":[${ended}],"asks":[${asked}]}`;
      const replies = (await runScript(redis, turnScript, named.keys, [message])) as number | string | RawReply[];
      if (typeof replies === "number") return { kind: "clock", redisNowMs: replies };
      if (typeof replies === "string") return asks.map(() => ({ kind: "taken", alternative: 0, second: Number(replies), used: [] }));
      return asks.map((ask, index) => takeReply(ask, replies[index]));
    },
    /** Extends holds, and books them again where Redis has lost them. */
    async renew(redis: Redis, holds: readonly SharedHold[], leaseMs: number): Promise<void> {
      const ids = holds.map(({ requestId }) => requestId);
      const costs = holds.map(({ costNanoUsd }) => costNanoUsd ?? -1);
      const message = JSON.stringify({ ...at(), leaseMs, ids, costs });
      const keys = holds.map(({ ref }) => keyOf(ref));
      await runScript(redis, renewScript, keys, [message]);
    },
    /** Adopts the ledger's figures for an owner. @returns the largest error of a sum, nano-USD. */
    async rebuild(redis: Redis, ref: OwnerRef, facts: SpendFacts, visible: readonly string[]): Promise<number> {
      const buckets = Object.fromEntries(facts.buckets);
      const message = JSON.stringify({ ...at(), layout: facts.layout, starts: facts.starts, sums: facts.sums, buckets, visible });
      return Number(await runScript(redis, rebuildScript, [keyOf(ref)], [message]));
    },
    /** Requests whose ends or reservations the ledger may show by now. */
    async idsOf(redis: Redis, ref: OwnerRef): Promise<string[]> {
      const [recent, held] = await Promise.all([redis.hkeys(`${keyOf(ref)}:recent`), redis.hkeys(`${keyOf(ref)}:held`)]);
      return [...recent, ...held];
    },
    /** What an owner uses across all instances. */
    async usage(redis: Redis, ref: OwnerRef, windows: CostWindows): Promise<OwnerUsage> {
      const message = JSON.stringify({ ...at(), ...windowsOf(windows) });
      const answer = JSON.parse(String(await runScript(redis, usageScript, [keyOf(ref)], [message]))) as UsageAnswer;
      const { inFlight, rpm, tpm, known, spent, reserved } = answer;
      return { inFlight, rate: seconds(rpm), tokens: seconds(tpm), spent: known === 1 ? numbers(spent) : null, reserved: Number(reserved) };
    },
    /** Joins the line, or keeps the place in it for another lease. @returns since when it waits; null = the line is full. */
    async join(redis: Redis, { requestId, size, waitMs, since, ...ref }: QueuePlace, leaseMs: number): Promise<number | null> {
      const message = JSON.stringify({ ...at(), id: requestId, size, waitMs, leaseMs, since });
      return Number(await runScript(redis, joinScript, [keyOf(ref)], [message])) || null;
    },
    async leave(redis: Redis, ref: OwnerRef, requestId: string): Promise<void> {
      const stood = await redis.zrem(`${keyOf(ref)}:queue`, requestId);
      // It goes without the slot for which others, of any instance, may have found it ahead of them.
      if (stood === 1) await redis.publish(freedChannel, bookName(ref));
    },
    /** Owners with a limited cost that were used since then. */
    async usedSince(redis: Redis, sinceMs: number): Promise<string[]> {
      const names = await redis.zrangebyscore(SPENDERS, sinceMs, "+inf");
      await redis.zremrangebyscore(SPENDERS, "-inf", `(${sinceMs}`);
      return names.map((name) => name.slice(PREFIX.length));
    },
  };
}

export type SharedLimits = ReturnType<typeof createSharedLimits>;

interface UsageAnswer {
  inFlight: number;
  /** Lua encodes an empty list as a JSON object. */
  rpm: number[] | Record<string, never>;
  tpm: number[] | Record<string, never>;
  known: number;
  spent: Texts;
  reserved: string;
}

/** Amounts as texts: Lua's encoder would round them to 14 digits. */
type Texts = Partial<Record<CostKind, string>>;

function numbers(texts: Texts): Partial<Record<CostKind, number>> {
  return Object.fromEntries(Object.entries(texts).map(([kind, text]) => [kind, Number(text)]));
}

function keyOf(ref: OwnerRef): string {
  return `${PREFIX}${bookName(ref)}`;
}

interface LimitedRef extends OwnerRef {
  limits: AppliedLimits;
}

/** The owners of one message, each listed once: most requests of a turn share a few. */
class NamedOwners {
  /** Names of their books. */
  readonly keys: string[] = [];
  /** Their limits. */
  readonly messages: object[] = [];
  readonly #known = new Map<AppliedLimits, { ref: LimitedRef; key: number }>();
  readonly #windows: CostWindows | null;

  constructor(windows: CostWindows | null) {
    this.#windows = windows;
  }

  /** Its position among the keys, from 1. */
  keyOf(ref: LimitedRef): number {
    const known = this.#known.get(ref.limits);
    if (known && known.ref.id === ref.id && known.ref.owner === ref.owner) return known.key;
    this.messages.push(ownerMessage(ref.limits, this.#windows));
    const key = this.keys.push(keyOf(ref));
    this.#known.set(ref.limits, { ref, key });
    return key;
  }
}

/** Absent = none: Lua's decoder turns null into a special value. */
function ownerMessage({ rpm, tpm, inFlight, costs, totalSinceMs }: AppliedLimits, windows: CostWindows | null): object {
  return {
    ...(rpm !== null && { rpm }),
    ...(tpm !== null && { tpm }),
    ...(inFlight !== null && { inFlight }),
    ...(costs && { costs }),
    ...(costs && windows && { layout: layoutOf(windows, totalSinceMs) }),
  };
}

function askText({ id, tokens, queueMs, since, alternatives }: TakeAsk, named: NamedOwners): string {
  const parts = alternatives.map(
    (owners) => `[${owners.map((owner) => `{"key":${named.keyOf(owner)},"cost":${owner.costNanoUsd}}`).join()}]`,
  );
  const waits = since === undefined ? "" : `,"since":${since}`;
  return `{"id":${JSON.stringify(id)},"tokens":${tokens},"queueMs":${queueMs}${waits},"alternatives":[${parts.join()}]}`;
}

function endText({ id, startedAtMs, settlements }: End, named: NamedOwners): string {
  const owners = settlements.map((settlement) => {
    const { limits, costNanoUsd, tokens, estimatedTokens, second } = settlement;
    const part = `"key":${named.keyOf(settlement)},"cost":${costNanoUsd}`;
    return limits.tpm === null ? `{${part}}` : `{${part},"tokens":${tokens},"estimate":${estimatedTokens},"second":${second}}`;
  });
  return `{"id":${JSON.stringify(id)},"start":${startedAtMs},"owners":[${owners.join()}]}`;
}

type RawReply = [kind: string, ...parts: (string | number)[]];

function takeReply({ alternatives, windows }: TakeAsk, reply: RawReply | undefined): TakeReply {
  if (!reply) throw new Error("Redis did not answer all that was asked");
  const [kind, ...parts] = reply;
  if (kind === "taken") {
    const [alternative, second, used] = parts;
    const told = used === undefined ? [] : Object.values(JSON.parse(String(used)) as Record<string, Texts>);
    return { kind, alternative: Number(alternative) - 1, second: Number(second), used: told.map(numbers) };
  }
  const owners = alternatives.flat();
  if (kind === "unknown") return { kind, owners: parts.flatMap((index) => owners[Number(index) - 1] ?? []) };
  return refused(owners, parts, windows);
}

const messages = new WeakMap<CostWindows, { starts: Record<string, number>; rolling: Record<string, number> }>();

function windowsOf(windows: CostWindows): { starts: Record<string, number>; rolling: Record<string, number> } {
  let message = messages.get(windows);
  if (!message) {
    message = {
      starts: Object.fromEntries(Object.entries(windows.fixed).map(([kind, { startMs }]) => [kind, startMs])),
      rolling: Object.fromEntries(Object.entries(windows.rolling).map(([kind, ms]) => [kind, ms / SPEND_BUCKET_MS])),
    };
    messages.set(windows, message);
  }
  return message;
}

function refused(owners: readonly OwnerAsk[], parts: readonly (string | number)[], windows: CostWindows): TakeReply {
  const [index, kind, used, onlyReserved, frees] = parts;
  const ask = owners[Number(index) - 1];
  if (!ask) throw new Error("Redis refused for an owner that was not asked for");
  const limit = String(kind) as LimitKind;
  const window = limit === "5h" || limit === "day" || limit === "week" || limit === "month" ? windows.fixed[limit] : undefined;
  const freesAtMs = Number(frees) === -2 ? null : Number(frees) === -1 ? (window?.endMs ?? null) : Number(frees);
  return { kind: "refused", refusal: { ask, limit, used: Number(used), onlyReserved: Number(onlyReserved) === 1, freesAtMs } };
}

function seconds(pairs: UsageAnswer["rpm"]): { second: number; count: number }[] {
  if (!Array.isArray(pairs)) return [];
  const rate: { second: number; count: number }[] = [];
  for (let index = 0; index + 1 < pairs.length; index += 2) rate.push({ second: pairs[index] ?? 0, count: pairs[index + 1] ?? 0 });
  return rate;
}
