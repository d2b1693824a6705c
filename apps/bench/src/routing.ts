import { type ChooseInput, chooseCandidates } from "@sluice/core/routing/choose-candidates";
import type { RoutableProvider } from "@sluice/core/routing/provider-index";
import { createTurns, strategies } from "@sluice/core/routing/strategies";
import { type Bench, interleave, type Metric, paired, type Report, summarise } from "./report.ts";

/**
 * The cost of a routing decision with 10, 100 and 1,000 providers, in µs: a tenth of them in the key's group, with two priorities and
 * weights. For comparison, copying a list of the same length, which is the minimum for a decision that looks at every provider; and each
 * strategy with a thousand in one group.
 */
const counts = [10, 100, 1_000] as const;
const targetsUs = { 10: 20, 100: 40, 1000: 200 } as const;

function providersOf(count: number): RoutableProvider[] {
  return Array.from({ length: count }, (_, n) => ({
    id: `provider-${n}`,
    dialect: "anthropic",
    serves: [],
    groups: [n % 10 === 0 ? "bench" : `other-${n % 10}`, "all"],
    priority: n % 20 === 0 ? 0 : 1,
    weight: 1 + (n % 3),
    models: ["claude-*", `model-${n}`],
    modelRedirects: {},
    enabled: true,
  }));
}

function askOf(providers: readonly RoutableProvider[], changes: Partial<ChooseInput<RoutableProvider>> = {}) {
  return {
    ...{ providers, group: "bench", dialect: "anthropic", endpoint: "messages", model: "claude-bench" },
    ...{ breakerStateOf: () => "closed", isWell: () => true, stickyProviderId: null, failsBack: true, failed: new Set<string>() },
    ...{ nowMs: Date.now(), strategy: "weighted", measure: () => measured, turnOf: createTurns(), random: Math.random },
    ...changes,
  } as ChooseInput<RoutableProvider>;
}

const measured = { inFlight: 3, ttftMs: 250, costNanoUsd: 1_000_000 };

/** µs per call. */
function microsPer(calls: number, work: () => unknown): Promise<number> {
  const began = performance.now();
  for (let n = 0; n < calls; n++) work();
  return Promise.resolve(((performance.now() - began) / calls) * 1_000);
}

export const routingBench: Bench = async ({ full }): Promise<Report> => {
  const calls = full ? 50_000 : 5_000;
  const metrics: Record<string, Metric> = {};
  const targets: Report["targets"] = {};
  for (const count of counts) {
    const providers = providersOf(count);
    const ask = askOf(providers);
    const subjects = {
      decision: () => microsPer(calls, () => chooseCandidates(ask)),
      copy: () => microsPer(calls, () => providers.slice()),
    };
    // Warm-up: the index is built once per configuration, and the code is compiled after some thousand calls.
    await interleave(1, subjects);
    const { decision, copy } = await interleave(full ? 15 : 7, subjects);
    metrics[`decisionUs${count}`] = summarise(decision);
    metrics[`copyUs${count}`] = summarise(copy);
    metrics[`decisionToCopy${count}`] = paired(decision, copy, (a, b) => a / b);
    targets[`decisionUs${count}`] = { atMost: targetsUs[count] };
  }
  const thousand = providersOf(1_000);
  for (const strategy of strategies) {
    const ask = askOf(thousand, { strategy, group: "all" });
    const { decision } = await interleave(full ? 9 : 3, { decision: () => microsPer(calls, () => chooseCandidates(ask)) });
    metrics[`${strategy}Us1000`] = summarise(decision);
    targets[`${strategy}Us1000`] = { atMost: targetsUs[1_000] };
  }
  return { metrics, targets };
};
