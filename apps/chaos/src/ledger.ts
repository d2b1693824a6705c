import { sumUp } from "./checks.ts";
import { runKills } from "./kills.ts";
import { planShort, planSteps, seededRandom } from "./plan.ts";

export interface ChaosOptions {
  seed: number;
  short: boolean;
  /** No life begins after so many of them. */
  minutes: number;
  /** Each kill is told as it happens. */
  verbose: boolean;
}

/** Kills, then what they must have left untouched. Prints the report; false when anything is broken. */
export async function ledgerChaos({ seed, short, minutes, verbose }: ChaosOptions): Promise<boolean> {
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  const random = seededRandom(seed);
  const steps = short ? planShort(random) : planSteps(random, { rounds: 5, randomKills: 70 });
  const began = performance.now();
  const deadlineMs = began + minutes * 60_000;
  const report = await runKills(steps, { installations: short ? 2 : 4, seed, deadlineMs, tell: verbose ? say : () => undefined });
  say(`kills        ${report.kills} of ${steps.length} planned, in ${((performance.now() - began) / 1_000).toFixed(0)} s`);
  for (const [name, n] of [...report.atFailpoint].sort()) say(`  ${name.padEnd(32)} ${n}`);
  say(`requests     ${report.calls} answered`);
  if (report.missed.length > 0)
    say(`not passed   ${report.missed.length} failpoints were not reached in their life:\n  ${report.missed.join("\n  ")}`);
  const findings = sumUp(report.findings);
  for (const { invariant, checked, of, violations, examples } of findings) {
    say(`${invariant.padEnd(4)} ${String(checked).padStart(8)} ${of.padEnd(44)} ${violations} violations`);
    for (const example of examples) say(`       ${example}`);
  }
  for (const line of report.failed.slice(0, 20)) say(`failed       ${line}`);
  for (const line of report.leftBehind) say(`left behind  spool ${line}`);
  return findings.every(({ violations }) => violations === 0) && report.failed.length + report.leftBehind.length === 0;
}
