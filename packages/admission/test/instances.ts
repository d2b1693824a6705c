import type { BreakerState } from "@sluice/core/events";
import { defaultSettings, type Settings } from "@sluice/core/inputs/settings";
import { until } from "@sluice/testing/deadline";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll } from "vitest";
import type { Admission, Refusal } from "../src/admission.ts";
import { type AdmissionOptions, createAdmission } from "../src/create-admission.ts";

/** The Redis of the test file that calls {@link useRedis}. */
let server: TestRedis;
const open: (() => Promise<void>)[] = [];
let serial = 0;

/** Starts a Redis for the file, and closes after each test what it has opened. */
export function useRedis(): void {
  beforeAll(async () => {
    server = await startTestRedis();
  });
  afterEach(async () => {
    for (const close of open.splice(0).reverse()) await close();
  });
  afterAll(async () => {
    await server.stop();
  });
}

export const redisUrl = (): string => server.url;

/** A new request, key or provider on every call: tests share one Redis and must not interfere with each other. */
export const unique = (what: string): string => `${what}-${process.pid}-${++serial}`;

export interface Instance {
  admission: Admission;
  redis: Redis | null;
  transitions: BreakerState[];
  settings: Settings;
}

export async function connect(url: string): Promise<Redis> {
  const redis = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: 0 });
  redis.on("error", () => undefined);
  await until(() => redis.status === "ready", { what: "the connection is ready" });
  open.push(async () => redis.disconnect());
  return redis;
}

export async function start(shared: boolean, options: Partial<AdmissionOptions> = {}): Promise<Instance> {
  const redis = shared ? await connect(server.url) : null;
  const transitions: BreakerState[] = [];
  const settings = { ...defaultSettings(), "breaker.openSeconds": 1 };
  const admission = createAdmission({
    redis,
    settings: () => settings,
    onTransition: (breaker) => transitions.push(breaker),
    instanceId: unique("instance"),
    ...options,
    // These tests check that the accounting is right, not that a busy machine answers in time.
    timing: { commandMs: 10_000, ...options.timing },
  });
  open.push(() => admission.close());
  return { admission, redis, transitions, settings };
}

export function count(refusals: (Refusal | null)[]): { admitted: number; refused: number } {
  const admitted = refusals.filter((refusal) => refusal === null).length;
  return { admitted, refused: refusals.length - admitted };
}

/** Opens the breaker of a new provider and waits until this instance sees it. */
export async function openBreaker({ admission }: Instance, provider = unique("provider")): Promise<string> {
  for (let i = 0; i < 5; i++) admission.breakers.failed(provider, "m", { cause: `upstream said 500 (${i + 1})` });
  await until(() => admission.breakers.stateOf(provider, "m") === "open", { what: "the breaker is open" });
  return provider;
}
