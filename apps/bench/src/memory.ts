import { setTimeout as wait } from "node:timers/promises";
import { openRequests, settledBytes } from "./gateway/open-requests.ts";
import { forMemory, leaveCoreToSubjects } from "./gateway/processes.ts";
import { benchKeys } from "./gateway/shapes.ts";
import { openStage, type Stage } from "./gateway/stage.ts";
import { type BenchOptions, interleave, paired, type Report, summarise } from "./report.ts";

/**
 * Resident memory of requests in flight whose providers have sent the same amount so far: relayed as it arrives (`stream: true`), or
 * buffered until complete (`stream: false`, where no answer is sent before it is charged). A new gateway for each, in turn.
 */
export interface MemoryPlan {
  /** Of every answer, so far. */
  answerBytes: number;
  /** Requests opened before memory is compared, which fill the free heap left from the start; then the number per round. */
  requestsBefore: number;
  requests: number;
  rounds: number;
}

const short: MemoryPlan = { answerBytes: 64 * 1024, requestsBefore: 500, requests: 400, rounds: 3 };
const long: MemoryPlan = { ...short, requestsBefore: 1_000, requests: 1_000, rounds: 5 };

export async function memoryBench({ full }: BenchOptions): Promise<Report> {
  await leaveCoreToSubjects();
  return measureMemory(full ? long : short);
}

export async function measureMemory(plan: MemoryPlan): Promise<Report> {
  const stage = await openStage();
  try {
    const [relaying, holding] = [await inFlight(stage, plan, "stream"), await inFlight(stage, plan, "whole")];
    const { relayed, held } = await interleave(plan.rounds, { relayed: relaying.more, held: holding.more });
    for (const { close } of [relaying, holding]) close();
    return report(plan, relayed, held);
  } finally {
    await stage.close();
  }
}

/** Memory per request, by round. */
function report(plan: MemoryPlan, relayedBytes: readonly number[], heldBytes: readonly number[]): Report {
  const mbPerThousand = (bytes: number): number => (bytes * 1_000) / 2 ** 20;
  return {
    metrics: {
      answerKbSoFar: summarise([plan.answerBytes / 1024]),
      relayedMbPer1000: summarise(relayedBytes.map(mbPerThousand)),
      heldMbPer1000: summarise(heldBytes.map(mbPerThousand)),
      "W44: relayedByHeld": paired(relayedBytes, heldBytes, (relayed, held) => relayed / held),
    },
    targets: { "W44: relayedByHeld": { atMost: 0.7 } },
  };
}

interface InFlight {
  /** Opens a round's requests; resolves with the resident bytes per request, over all rounds so far. */
  more(): Promise<number>;
  close(): void;
}

/** Starts a gateway and opens its first requests. */
async function inFlight(stage: Stage, plan: MemoryPlan, kind: "stream" | "whole"): Promise<InFlight> {
  const gateway = await stage.gateway({ nodeArgs: forMemory });
  const requests = openRequests(gateway, { key: benchKeys.limited, stream: kind === "stream", answerBytes: plan.answerBytes });
  let asked = 0;
  async function open(count: number): Promise<number> {
    asked += count;
    await requests.open(count);
    await untilHeld(stage, kind, asked);
    return settledBytes(gateway);
  }
  const before = await open(plan.requestsBefore);
  return {
    // Averaged over all requests since the start: a process takes and returns memory in steps that do not align with rounds.
    more: async () => ((await open(plan.requests)) - before) / (asked - plan.requestsBefore),
    close: requests.close,
  };
}

/** @throws Error when the number in flight is not reached: refused or finished requests take no memory. */
async function untilHeld(stage: Stage, kind: "stream" | "whole", count: number): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if ((await stage.held())[kind] === count) return;
    await wait(100);
  }
  throw new Error(`of ${count} requests ${(await stage.held())[kind]} are in flight`);
}
