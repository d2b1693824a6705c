import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The frame of every benchmark: rounds of all subjects in turn (so that a busy moment of the machine affects all of them), each figure as
 * its median with the spread, targets, and one JSON object as the last line.
 */
export interface Metric {
  median: number;
  /** Smallest and largest round. */
  min: number;
  max: number;
  /** The figures of all rounds, in order. */
  rounds: number[];
}

/** What a metric's median must reach. */
interface Target {
  atLeast?: number;
  atMost?: number;
}

export interface Report {
  metrics: Record<string, Metric>;
  /** By metric name. */
  targets: Record<string, Target>;
  /** The individual measurements behind the figures, written to a file per run. */
  samples?: Record<string, readonly number[]>;
}

export interface BenchOptions {
  /** The long form. */
  full: boolean;
  /** Shows where the time goes instead of figures (bench gateway). */
  profile: boolean;
}

export type Bench = (options: BenchOptions) => Promise<Report>;

/** Median (the mean of the middle two) and spread. @throws RangeError when there is no figure. */
export function summarise(figures: readonly number[]): Metric {
  const sorted = [...figures].sort((a, b) => a - b);
  const low = sorted[(sorted.length - 1) >> 1];
  const high = sorted[sorted.length >> 1];
  if (low === undefined || high === undefined) throw new RangeError("no figures");
  return { median: (low + high) / 2, min: sorted[0] ?? low, max: sorted.at(-1) ?? high, rounds: [...figures] };
}

/** The p-th quantile (0…1) of durations, nearest rank. */
export function quantile(figures: readonly number[], p: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? 0;
}

/** Runs every subject once per round, in turn; resolves with the figures of each by round. Use at least three rounds. */
export async function interleave<Name extends string, Figure>(
  rounds: number,
  subjects: Record<Name, (round: number) => Promise<Figure>>,
): Promise<Record<Name, Figure[]>> {
  const names = Object.keys(subjects) as Name[];
  const figures = Object.fromEntries(names.map((name) => [name, [] as Figure[]])) as Record<Name, Figure[]>;
  for (let round = 0; round < Math.max(3, rounds); round++) {
    for (const name of names) figures[name].push(await subjects[name](round));
  }
  return figures;
}

/** One figure per round from two subjects: ratios are computed within a round. */
export function paired<A, B>(a: readonly A[], b: readonly B[], of: (a: A, b: B) => number): Metric {
  return summarise(a.flatMap((figure, round) => (round < b.length ? [of(figure, b[round] as B)] : [])));
}

/** Prints the figures, then the JSON line. True when every target is met. */
export function printReport(name: string, report: Report): boolean {
  const metrics = Object.fromEntries(Object.entries(report.metrics).map(([key, metric]) => [key, roundedMetric(metric)]));
  const targets = Object.fromEntries(
    Object.entries(report.targets).map(([key, target]) => [key, { ...target, met: isMet(report.metrics[key], target) }]),
  );
  const ok = Object.values(targets).every(({ met }) => met);
  const width = Math.max(...Object.keys(metrics).map((key) => key.length));
  for (const [key, { median, min, max }] of Object.entries(metrics)) {
    const target = targets[key];
    const verdict = target ? `   ${target.met ? "ok" : "MISSED"} (${describeTarget(target)})` : "";
    console.log(`${key.padEnd(width)}  ${String(median).padStart(12)}   [${min} … ${max}]${verdict}`);
  }
  const said = { name, commit: commit(), machine: machine(), metrics, targets, ok };
  if (report.samples) console.log(`Raw samples: ${writeSamples(name, { ...said, samples: report.samples })}`);
  console.log(JSON.stringify(said));
  return ok;
}

/** Writes to a folder that git ignores; returns the path. */
function writeSamples(name: string, run: object): string {
  const folder = fileURLToPath(new URL("../../../.sluice-bench", import.meta.url));
  const path = join(folder, `${name}-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.json`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, `${JSON.stringify(run)}\n`);
  return path;
}

function isMet(metric: Metric | undefined, { atLeast, atMost }: Target): boolean {
  if (!metric) return false;
  return (atLeast === undefined || metric.median >= atLeast) && (atMost === undefined || metric.median <= atMost);
}

function describeTarget({ atLeast, atMost }: Target): string {
  return [atLeast === undefined ? "" : `≥ ${atLeast}`, atMost === undefined ? "" : `≤ ${atMost}`].filter(Boolean).join(", ");
}

function roundedMetric({ median, min, max, rounds }: Metric): Metric {
  return { median: rounded(median), min: rounded(min), max: rounded(max), rounds: rounds.map(rounded) };
}

/** Four significant digits: a shared machine does not allow more precision. */
function rounded(value: number): number {
  return Math.abs(value) >= 1_000 ? Math.round(value) : Number(value.toPrecision(4));
}

function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "unknown";
  }
}

function machine(): string {
  const processors = cpus();
  const gib = Math.round(totalmem() / 2 ** 30);
  return `${processors.length} × ${processors[0]?.model.trim() ?? "unknown CPU"}, ${gib} GiB, Node ${process.versions.node}`;
}
