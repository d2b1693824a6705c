import { Pool } from "undici";

/** One call: a path below /api/v1, and whose cookie it carries. */
export interface Call {
  path: string;
  cookie: string;
}

export interface LoadFigures {
  /** By call, of those answered with 200. */
  ms: number[];
  errors: number;
  perSecond: number;
  /** Answers that said where they come from, by that. */
  cache: Record<"hit" | "miss" | "bypass", number>;
}

/** Clients that each ask as soon as they were answered, one call after another of the list, until the time is over. */
export async function runClients(
  url: string,
  calls: readonly Call[],
  { clients, forMs }: { clients: number; forMs: number },
): Promise<LoadFigures> {
  const until = performance.now() + forMs;
  let next = 0;
  return measured(url, clients, () => (performance.now() < until ? calls[next++ % calls.length] : undefined));
}

/** Every call once, by one client after the other. */
export function runOnce(url: string, calls: readonly Call[]): Promise<LoadFigures> {
  let next = 0;
  return measured(url, 1, () => calls[next++]);
}

async function measured(url: string, clients: number, take: () => Call | undefined): Promise<LoadFigures> {
  const pool = new Pool(url, { connections: clients });
  const figures: LoadFigures = { ms: [], errors: 0, perSecond: 0, cache: { hit: 0, miss: 0, bypass: 0 } };
  const began = performance.now();
  async function client(): Promise<void> {
    for (let call = take(); call; call = take()) {
      const sentAt = performance.now();
      const { statusCode, body } = await pool.request({ method: "GET", path: `/api/v1${call.path}`, headers: { cookie: call.cookie } });
      const text = await body.text();
      if (statusCode === 200) figures.ms.push(performance.now() - sentAt);
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
