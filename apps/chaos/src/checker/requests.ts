import { costOf } from "./cost.ts";
import type { Counts, Evidence, OracleLine, Row } from "./evidence.ts";
import { type Finding, findingOf } from "./finding.ts";

/** Tolerance of estimates. */
const LOW = 0.6;
const HIGH = 1.4;
/** Endpoints that report no usage. */
const withoutUsage = new Set(["models", "countTokens"]);

/** I1: each request that reached the upstream has exactly one row, which matches what was on the wire. */
export function checkCharges({ oracle, rows, clients }: Evidence): Finding {
  const seen = new Map(clients.map((line) => [line.id, line]));
  const wrong: string[] = [];
  for (const [id, attempts] of oracle) {
    const row = rows.get(id);
    const last = attempts.at(-1);
    if (!last) continue;
    const client = seen.get(id);
    const what = row
      ? disagreement(row, last, client?.outputTokens ?? 0, client?.outputTokensEarly ?? 0)
      : "reached the upstream and has no row";
    if (what !== "") wrong.push(`${id}: ${what}`);
  }
  return findingOf("I1", oracle.size, "requests that reached an upstream", wrong);
}

function disagreement(row: Row, last: OracleLine, received: number, receivedEarly: number): string {
  if (withoutUsage.has(last.endpoint) || last.oddUsage) return "";
  if (row.state === "done") {
    if (last.line === "opened" || last.endedBy === "scripted") return `done, but the upstream ended it ${last.endedBy ?? "never"}`;
    return !last.usage || same(row.usage, last.usage) ? "" : `tokens ${text(row.usage)}, on the wire ${text(last.usage)}`;
  }
  if (last.usage && same(row.usage, last.usage)) return "";
  const { output } = row.usage;
  const sent = last.usage?.output ?? last.outputTokensSent;
  if (sent !== undefined && output > Math.ceil(HIGH * sent) + 1) return `${output} output tokens billed, ${sent} were sent`;
  const recovered = row.flags.includes("recovered");
  // A killed request is billed from its last PROGRESS, which is written every half second.
  const least = recovered ? receivedEarly : received;
  if (output < Math.floor(LOW * least) - 1)
    return `${output} output tokens billed, the client received ${least}${recovered ? " long before the kill" : ""}`;
  if (output > 0 && !row.flags.some((flag) => /^(partial|recovered|estimated)$/.test(flag)))
    return `${row.state} with ${output} output tokens and no flag`;
  if (recovered && total(row.usage) === 0 && row.cost !== 0n) return `void, but the cost is ${row.cost}`;
  return "";
}

/** I5: tokens × price version × multipliers is exactly the stored cost. */
export function checkCosts({ rows, prices }: Evidence): Finding {
  const wrong: string[] = [];
  let checked = 0;
  for (const row of rows.values()) {
    if (!row.billable) continue;
    checked++;
    const what = wrongCost(row, prices);
    if (what !== "") wrong.push(`${row.id}: ${what}`);
  }
  return findingOf("I5", checked, "billable rows", wrong);
}

function wrongCost(row: Row, prices: Evidence["prices"]): string {
  if (row.cost === null) return row.flags.includes("unpriced") ? "" : "no cost and not flagged unpriced";
  const price = prices.get(row.priceId ?? "");
  if (!price || !row.multipliers) return total(row.usage) === 0 && row.cost === 0n ? "" : `cost ${row.cost} without a price or multipliers`;
  const expected = costOf(row.usage, price, row.multipliers);
  return expected === row.cost ? "" : `stored ${row.cost}, tokens and price give ${expected}`;
}

/** I6: a client that received a proper end has a row saying so, and nothing is charged that no upstream saw. */
export function checkAcknowledged({ oracle, clients, rows }: Evidence): Finding {
  const acknowledged = clients.filter(({ id, outcome }) => id !== "" && outcome === "complete");
  const missing = acknowledged.flatMap(({ id }) => {
    const row = rows.get(id);
    if (!row) return [`${id}: acknowledged, but there is no row`];
    return row.state === "done" ? [] : [`${id}: acknowledged, but the row says ${row.state}`];
  });
  const unexpected = [...rows.values()].flatMap((row) =>
    (row.usage.output > 0 || (row.cost ?? 0n) > 0n) && !oracle.has(row.id) ? [`${row.id}: charged, but no upstream saw it`] : [],
  );
  return findingOf("I6", acknowledged.length, "ends that clients saw", [...missing, ...unexpected]);
}

/** I9: a refused request has no ledger effect and sent no byte upstream. */
export function checkRefused({ oracle, clients, rows }: Evidence): Finding {
  const told = clients.filter(({ outcome }) => outcome === "refused").map(({ id }) => id);
  const written = [...rows.values()].filter(({ state }) => state === "refused").map(({ id }) => id);
  const refused = new Set([...told, ...written].filter(Boolean));
  const wrong = [...refused].flatMap((id) => {
    const row = rows.get(id);
    if (oracle.has(id)) return [`${id}: refused, but it reached the upstream`];
    const charged = row && (row.billable || total(row.usage) > 0 || row.cost !== 0n || row.upstreamCost !== 0n);
    return charged ? [`${id}: refused, but the row charges`] : [];
  });
  return findingOf("I9", refused.size, "refused requests", wrong);
}

/** I10: each attempt that produced tokens has its upstream cost, unless it was killed before the first PROGRESS. */
export function checkAttempts({ oracle, rows }: Evidence): Finding {
  const wrong: string[] = [];
  let checked = 0;
  for (const [id, attempts] of oracle) {
    const row = rows.get(id);
    const produced = attempts.filter(({ usage, outputTokensSent = 0 }) => (usage?.output ?? outputTokensSent) > 0).length;
    if (!row || produced === 0 || row.priceId === null || (row.flags.includes("recovered") && total(row.usage) === 0)) continue;
    // Content in transit when the client or the gateway went away was never seen here.
    if (row.state !== "done" && total(row.usage) === 0) continue;
    checked += produced;
    const costs = row.attemptCosts.filter((cost) => cost > 0n);
    if (costs.length < produced) wrong.push(`${id}: ${produced} attempts produced tokens, ${costs.length} have an upstream cost`);
    else if (row.attemptCosts.reduce((sum, cost) => sum + cost, 0n) !== row.upstreamCost)
      wrong.push(`${id}: the row's upstream cost is not its attempts'`);
  }
  return findingOf("I10", checked, "attempts that produced tokens", wrong);
}

function same(a: Counts, b: Counts): boolean {
  return text(a) === text(b);
}

function text({ input, output, cacheWrite5m, cacheWrite1h, cacheRead }: Counts): string {
  return `${input}/${output}/${cacheWrite5m}/${cacheWrite1h}/${cacheRead}`;
}

function total({ input, output, cacheWrite5m, cacheWrite1h, cacheRead }: Counts): number {
  return input + output + cacheWrite5m + cacheWrite1h + cacheRead;
}
