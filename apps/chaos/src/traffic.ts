import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { callModel, type ModelCall, type Seen } from "@sluice/testing/model-client";
import type { Random } from "@sluice/testing/seeded-random";

/** A model's upstream script, its share of 100 requests, and whether a healthy gateway must complete it. */
const scenarios = {
  quick: { script: "plain,6", share: 30, ends: true },
  slow: { script: "plain,10+slow,25", share: 20, ends: true },
  long: { script: "plain,90+slow,40", share: 10, ends: true },
  cached: { script: "cache", share: 10, ends: true },
  tool: { script: "tool", share: 8, ends: true },
  errors: { script: "error-mid,3", share: 6, ends: false },
  cut: { script: "cut,4,how=fin", share: 6, ends: false },
} as const;
type Scenario = keyof typeof scenarios;
const brands = { anthropic: "claude", chat: "gpt", responses: "gpt", gemini: "gemini" } as const;
const weighted = (Object.keys(scenarios) as Scenario[]).flatMap((name) => Array<Scenario>(scenarios[name].share).fill(name));

/** Model → model with the upstream script after the `@`, for one brand. */
export function modelsOf(brand: string): Record<string, string> {
  return Object.fromEntries(Object.entries(scenarios).map(([name, { script }]) => [`${brand}-${name}`, `${brand}-${name}@${script}`]));
}

/** A call to make, and the expected outcome. */
interface Planned {
  call: ModelCall;
  expects: "end" | "anything" | "refusal";
}

function planCall(random: Random, key: string): Planned {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const dialect = pick(Object.keys(brands) as (keyof typeof brands)[]);
  const [kind, stream, leaves, session] = [random(), random() < 0.75, random(), `s${Math.floor(random() * 8)}`];
  if (kind < 0.05)
    return {
      call: { dialect, model: `${brands[dialect]}-quick`, stream, key: `sk-unknown-${Math.floor(random() * 1e9)}` },
      expects: "refusal",
    };
  const scenario = pick(weighted);
  const abortAfterMs = leaves < 0.1 ? Math.floor(random() * 400) : undefined;
  const expects = scenarios[scenario].ends && abortAfterMs === undefined ? "end" : "anything";
  return { call: { dialect, model: `${brands[dialect]}-${scenario}`, stream, key, abortAfterMs, session }, expects };
}

/** What the clients of one installation observed. */
export interface ClientLog {
  /** Requests that a responsive gateway should have completed but did not. */
  readonly failed: string[];
  /** Calls that received a response head. */
  readonly calls: number;
  /** Most of its clients are prepaid: while their remaining credit is unknown or used up they are refused, which is not a failure. */
  paysAhead: boolean;
  /** `paysAhead` overrides the installation's. */
  write(seen: Seen, expects: Planned["expects"], paysAhead?: boolean): void;
}

/** Opens the append-only file: one line per request that got an id. */
export function openClientLog(path: string): ClientLog {
  const failed: string[] = [];
  let calls = 0;
  const log: ClientLog = {
    failed,
    paysAhead: false,
    get calls() {
      return calls;
    },
    write(seen, expects, paysAhead = log.paysAhead) {
      if (seen.id === "") return;
      calls++;
      const { id, status, outputTokens, outputTokensEarly } = seen;
      const lacksCredit = paysAhead && (status === 402 || (status === 503 && seen.text.includes("The credit cannot be checked")));
      const outcome = (expects === "refusal" && status >= 400) || lacksCredit ? "refused" : seen.outcome;
      // An error status is an answer; a broken connection is the normal effect of a kill.
      if (expects === "end" && status >= 400 && !lacksCredit) failed.push(`${id}: ${status} ${seen.text.slice(0, 200)}`);
      appendFileSync(path, `${JSON.stringify({ id, outcome, status, outputTokens, outputTokensEarly })}\n`);
    },
  };
  return log;
}

/** Clients in a closed loop until they are stopped. Resolves when all have ended. */
export async function drive(options: {
  url: string;
  key: string;
  clients: number;
  random: Random;
  log: ClientLog;
  stopped: AbortSignal;
  /** Failures are allowed: something is broken on purpose. */
  mayFail?: boolean;
  /** Overrides the installation's. */
  paysAhead?: boolean;
}): Promise<void> {
  const { url, key, clients, random, log, stopped, mayFail, paysAhead } = options;
  const client = async (): Promise<void> => {
    while (!stopped.aborted) {
      const { call, expects } = planCall(random, key);
      const seen = await callModel(url, call);
      // A disk that seemed broken for a while has recorded no PROGRESS in that time.
      if (mayFail) log.write({ ...seen, outputTokensEarly: 0 }, expects === "end" ? "anything" : expects, paysAhead);
      else log.write(seen, expects, paysAhead);
      // Nobody listens, or the connection is from an earlier life; or the request would be refused again right away.
      if (seen.id === "") await sleep(10);
      else if (seen.status === 402 || seen.status === 503) await sleep(50);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
}
