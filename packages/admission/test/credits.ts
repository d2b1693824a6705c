import { silentLog } from "@sluice/core/log";
import { until } from "@sluice/testing/deadline";
import { Redis } from "ioredis";
import { afterEach } from "vitest";
import { type Credit, type CreditOptions, createCredit } from "../src/credit.ts";

const open: (() => Promise<void> | void)[] = [];
let serial = 0;

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** Runs after the test, the last one first. */
export const atEnd = (close: () => Promise<void> | void): void => void open.push(close);

/** A new name on every call. */
export const unique = (what: string): string => `${what}-${process.pid}-${++serial}`;

/** Stands in for Postgres: balances, and the committed rows. */
export function createAccounts() {
  const balances = new Map<string, number>();
  const rows = new Set<string>();
  return {
    balances,
    reads: 0,
    gone: false,
    /** Commits a row. */
    commit(userId: string, id: string, cost: number): void {
      rows.add(id);
      balances.set(userId, (balances.get(userId) ?? 0) - cost);
    },
    async load(userIds: readonly string[], ids: readonly string[]) {
      this.reads++;
      if (this.gone) throw new Error("Postgres is away");
      return {
        availableNanoUsd: new Map(userIds.map((userId) => [userId, balances.get(userId) ?? 0])),
        settled: new Set(ids.filter((id) => rows.has(id))),
      };
    },
  };
}
export type Accounts = ReturnType<typeof createAccounts>;

export async function connect(url: string): Promise<Redis> {
  const redis = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: 0 });
  redis.on("error", () => undefined);
  await until(() => redis.status === "ready", { what: "the connection is ready" });
  atEnd(() => redis.disconnect());
  return redis;
}

export async function start(accounts: Accounts, url: string | null, options: Partial<CreditOptions> = {}): Promise<Credit> {
  const credit = createCredit({
    redis: url === null ? null : await connect(url),
    log: silentLog,
    instanceId: unique("instance"),
    load: (userIds, ids) => accounts.load(userIds, ids),
    admits: true,
    onMoved: () => undefined,
    ...options,
  });
  atEnd(() => credit.close());
  return credit;
}

/** What remains of a user's credit. */
export const left = async (credit: Credit, userId: string): Promise<number | undefined> =>
  (await credit.reserve(unique("r"), userId, Number.MAX_SAFE_INTEGER))?.availableNanoUsd;
