import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "undici";

/** One call: a path below /api/v1, and the cookie it carries. */
export interface Call {
  path: string;
  cookie: string;
}

export interface LoadFigures {
  /** Of each call that was answered with 200. */
  ms: number[];
  errors: number;
  perSecond: number;
  /** Answers that report their cache result, by result. */
  cache: Record<"hit" | "miss" | "bypass", number>;
}

export interface ClientsPlan {
  clients: number;
  forMs: number;
  /** Of all clients together; absent: each client calls again as soon as it was answered, which measures the maximum. */
  perSecond?: number;
}

/** Clients that work through the list of calls until the time is over. */
export async function runClients(url: string, calls: readonly Call[], { clients, forMs, perSecond }: ClientsPlan): Promise<LoadFigures> {
  const began = performance.now();
  let next = 0;
  return measured(url, clients, () => {
    const at = perSecond === undefined ? performance.now() : began + (next / perSecond) * 1_000;
    return at < began + forMs ? { ...(calls[next++ % calls.length] as Call), at } : undefined;
  });
}

/** Every call once, one after another. */
export function runOnce(url: string, calls: readonly Call[]): Promise<LoadFigures> {
  let next = 0;
  return measured(url, 1, () => {
    const call = calls[next++];
    return call && { ...call, at: performance.now() };
  });
}

/** `at` is when a call is due. If no client is free then, latency still counts from that time. */
async function measured(url: string, clients: number, take: () => (Call & { at: number }) | undefined): Promise<LoadFigures> {
  const pool = new Pool(url, { connections: clients });
  const figures: LoadFigures = { ms: [], errors: 0, perSecond: 0, cache: { hit: 0, miss: 0, bypass: 0 } };
  const began = performance.now();
  async function client(): Promise<void> {
    for (let call = take(); call; call = take()) {
      const earlyMs = call.at - performance.now();
      if (earlyMs > 0) await sleep(earlyMs);
      const { statusCode, body } = await pool.request({ method: "GET", path: `/api/v1${call.path}`, headers: { cookie: call.cookie } });
      const text = await body.text();
      if (statusCode === 200) figures.ms.push(performance.now() - call.at);
      else figures.errors += 1;
      const said = /"cache":"(hit|miss|bypass)"/.exec(text)?.[1] as "hit" | "miss" | "bypass" | undefined;
      if (said) figures.cache[said] += 1;
    }
  }
  await Promise.all(Array.from({ length: clients }, client));
  figures.perSecond = figures.ms.length / ((performance.now() - began) / 1_000);
  await pool.close();
  return figures;
}
