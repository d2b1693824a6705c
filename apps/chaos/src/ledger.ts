import { seededRandom } from "@sluice/testing/seeded-random";
import type { Finding } from "./checker/finding.ts";
import { sumUp } from "./checks.ts";
import { type KillReport, runKills } from "./kills.ts";
import { runOutage } from "./outage.ts";
import { planShort, planSteps } from "./plan.ts";

export interface ChaosOptions {
  seed: number;
  /** One kill per failpoint and no outage, to fit into a test run. */
  short: boolean;
  /** No life begins after this many minutes. */
  minutes: number;
  /** Prints each kill as it happens. */
  verbose: boolean;
}

const say = (line: string) => void process.stdout.write(`${line}\n`);

/** Runs kills, an outage and the checker. Prints the report; false when an invariant is violated. */
export async function ledgerChaos({ seed, short, minutes, verbose }: ChaosOptions): Promise<boolean> {
  const began = performance.now();
  const random = seededRandom(seed);
  const steps = short ? planShort(random) : planSteps(random, { rounds: 5, randomKills: 60 });
  const tell = verbose ? say : () => undefined;
  const kills = await runKills(steps, { installations: short ? 2 : 4, seed, deadlineMs: began + minutes * 60_000, tell });
  sayKills(kills, steps.length, began);
  const outage = short ? null : await runOutage();
  for (const line of outage?.lines ?? []) say(line);
  const findings = sumUp([...kills.findings, ...(outage ? [outage.findings] : [])]);
  sayFindings(findings);
  const failed = [...kills.failed, ...(outage?.failed ?? []), ...kills.leftBehind.map((name) => `a stop in order left the spool ${name}`)];
  say(`failed  ${failed.length} requests of known keys, or stops in order`);
  for (const line of failed.slice(0, 20)) say(`          ${line}`);
  say(`${((performance.now() - began) / 1_000).toFixed(0)} s; again: npm run chaos -- ledger --seed ${seed}${short ? " --short" : ""}`);
  return failed.length === 0 && findings.every(({ violations }) => violations === 0);
}

function sayKills({ kills, atFailpoint, missed, errors, calls }: KillReport, planned: number, began: number): void {
  say(`${kills} kills of ${planned} planned, ${calls} requests answered, in ${((performance.now() - began) / 1_000).toFixed(0)} s`);
  const named = [...atFailpoint].sort().map(([name, n]) => `${name} ${n}`);
  say(`  at failpoints: ${named.join(", ")}`);
  if (errors.length > 0) say(`  errors thrown: ${errors.sort().join(", ")}`);
  if (missed.length > 0) say(`  not passed in their life, and killed at random: ${missed.length}\n    ${missed.join("\n    ")}`);
}

function sayFindings(findings: readonly Finding[]): void {
  for (const { invariant, checked, of, violations, examples } of findings) {
    say(`${invariant.padEnd(4)} ${String(checked).padStart(8)} ${of.padEnd(48)} ${violations} violations`);
    for (const example of examples) say(`          ${example}`);
  }
}
