import { SluiceError } from "@sluice/core/errors";
import type { Redis } from "ioredis";
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";

/**
 * Throttles password guessing without letting one person lock another out: hard limits count per address and per account × address, while
 * the counts per account alone and overall only slow answers down. Only failures count; a success returns its point. With Redis the
 * counts are shared; while Redis fails, each process continues with its own counts.
 */
export interface LoginThrottle {
  /** Takes a point from each limit before the password is verified. @throws SluiceError `login_throttled`. */
  attempt(ip: string, account: string): Promise<void>;
  /** Returns the points after a success. */
  succeeded(ip: string, account: string): Promise<void>;
}

interface ThrottleLimits {
  /** Failures per address and window. */
  perAddress: number;
  /** Failures per account × address and window. */
  perPair: number;
  /** Failures per account, over all addresses, beyond which answers slow down. */
  slowPerAccount: number;
  /** Failures overall, beyond which answers slow down. */
  slowOverall: number;
  windowSeconds: number;
  /** Maximum delay. */
  delayMs: number;
}

const defaultThrottleLimits: ThrottleLimits = {
  perAddress: 50,
  perPair: 10,
  slowPerAccount: 20,
  slowOverall: 200,
  windowSeconds: 15 * 60,
  delayMs: 2_000,
};

export function createLoginThrottle(redis: Redis | null, limits: ThrottleLimits = defaultThrottleLimits): LoginThrottle {
  const limiter = (name: string, points: number): RateLimiterAbstract => {
    const memory = new RateLimiterMemory({ keyPrefix: `login:${name}`, points, duration: limits.windowSeconds });
    if (!redis) return memory;
    return new RateLimiterRedis({
      storeClient: redis,
      keyPrefix: `sluice:login:${name}`,
      points,
      duration: limits.windowSeconds,
      insuranceLimiter: memory,
      rejectIfRedisNotReady: true,
    });
  };
  const byAddress = limiter("address", limits.perAddress);
  const byPair = limiter("pair", limits.perPair);
  // These two never refuse; only their counts are read.
  const byAccount = limiter("account", Number.MAX_SAFE_INTEGER);
  const overall = limiter("overall", Number.MAX_SAFE_INTEGER);

  return {
    async attempt(ip, account) {
      const address = networkOf(ip);
      await take(byAddress, address);
      await take(byPair, `${account}|${address}`);
      const [account_, overall_] = await Promise.all([byAccount.consume(account), overall.consume("all")]);
      const excess = Math.max(account_.consumedPoints - limits.slowPerAccount, overall_.consumedPoints - limits.slowOverall, 0);
      if (excess > 0) await new Promise((resolve) => setTimeout(resolve, Math.min(limits.delayMs, excess * 100)));
    },
    async succeeded(ip, account) {
      const address = networkOf(ip);
      await Promise.allSettled([
        byAddress.reward(address),
        byPair.delete(`${account}|${address}`),
        byAccount.reward(account),
        overall.reward("all"),
      ]);
    },
  };
}

async function take(limiter: RateLimiterAbstract, key: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    throw new SluiceError("login_throttled", { retryAfterS: Math.max(1, Math.ceil(refusal.msBeforeNext / 1000)) });
  }
}

/** A subscriber usually has a whole IPv6 /64, so that is counted instead of single addresses. */
export function networkOf(ip: string): string {
  if (!ip.includes(":") || ip.includes(".")) return ip;
  const [head = "", tail] = ip.toLowerCase().split("::");
  const left = head.split(":").filter(Boolean);
  const right = (tail ?? "").split(":").filter(Boolean);
  const groups = tail === undefined ? left : [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill("0"), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":")}::/64`;
}
