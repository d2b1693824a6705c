import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { callModel, type ModelCall, type Seen } from "@sluice/testing/model-client";
import type { Random } from "./plan.ts";

/** What a model does upstream, how often of 100 it is asked for, and whether a healthy gateway must bring it to an end. */
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

/** Model → what stands behind the `@` upstream, for one brand. */
export function modelsOf(brand: string): Record<string, string> {
  return Object.fromEntries(Object.entries(scenarios).map(([name, { script }]) => [`${brand}-${name}`, `${brand}-${name}@${script}`]));
}

/** A call that is to be made, and what its maker expects of it. */
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

/** What the clients of one installation have lived through. */
export interface ClientLog {
  /** Requests that an answering gateway had to bring to an end and did not. */
  readonly failed: string[];
  /** Calls that were made and got a head. */
  readonly calls: number;
  /** Most of its clients pay ahead: while nobody knows how much is left, or when nothing is, they are refused, and that is no failure. */
  paysAhead: boolean;
  /** `paysAhead`: other than most. */
  write(seen: Seen, expects: Planned["expects"], paysAhead?: boolean): void;
}

/** Opens the append-only file: a line per request that got an id. */
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
      // An error status is an answer; a broken connection is what a kill looks like.
      if (expects === "end" && status >= 400 && !lacksCredit) failed.push(`${id}: ${status} ${seen.text.slice(0, 200)}`);
      appendFileSync(path, `${JSON.stringify({ id, outcome, status, outputTokens, outputTokensEarly })}\n`);
    },
  };
  return log;
}

/** So many clients in a closed loop until they are told to stop. Resolves when all have ended. */
export async function drive(options: {
  url: string;
  key: string;
  clients: number;
  random: Random;
  log: ClientLog;
  stopped: AbortSignal;
  /** Some of them may fail: something is broken on purpose. */
  mayFail?: boolean;
  /** Other than most of the installation's. */
  paysAhead?: boolean;
}): Promise<void> {
  const { url, key, clients, random, log, stopped, mayFail, paysAhead } = options;
  const client = async (): Promise<void> => {
    while (!stopped.aborted) {
      const { call, expects } = planCall(random, key);
      const seen = await callModel(url, call);
      // A disk that was thought broken for a while has no PROGRESS of it.
      if (mayFail) log.write({ ...seen, outputTokensEarly: 0 }, expects === "end" ? "anything" : expects, paysAhead);
      else log.write(seen, expects, paysAhead);
      // Nobody there, or a connection of the life before; or nobody who would be served a moment later.
      if (seen.id === "") await sleep(10);
      else if (seen.status === 402 || seen.status === 503) await sleep(50);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
}
