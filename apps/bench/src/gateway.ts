import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type CostsPerRequest, SETTLED_MS } from "./gateway/counters.ts";
import { appendLoopMs } from "./gateway/fdatasync.ts";
import { gatewayReport } from "./gateway/gateway-report.ts";
import type { LoadResult } from "./gateway/load.ts";
import { openRequests, settledBytes } from "./gateway/open-requests.ts";
import { cpuMicros, forMemory, leaveCoreToSubjects, moveTo, residentBytes, type Subject } from "./gateway/processes.ts";
import { profiled, summariseProfile } from "./gateway/profile.ts";
import { mainShape, otherShapes, type Shape, unlimitedShape } from "./gateway/shapes.ts";
import { openStage, type Stage } from "./gateway/stage.ts";
import { type Report, summarise } from "./report.ts";

/** Size of the measurement. */
export interface GatewayPlan {
  rounds: number;
  /** Turns per round: each is a slice of every subject, and a round's figure is their sum. Of the main shape, and of each of the others. */
  turns: number;
  shapeTurns: number;
  /** Warm-up of a gateway before the first round, and for another shape: compiling all hot code takes some ten thousand requests. */
  warmMs: number;
  shapeWarmMs: number;
  /** Slice durations of the main shape, and of each of the others. */
  ms: number;
  shapeMs: number;
  /** Streams opened before memory is compared, which fill the free heap left from the start; then the number per batch, and of batches. */
  streamsBefore: number;
  streams: number;
  streamBatches: number;
  /** How long the streams are held before memory is read again. */
  heldMs: number;
  /** The fixed rate at which latency is measured, in requests/s. */
  rate: number;
}

const short: GatewayPlan = {
  ...{ rounds: 3, turns: 2, shapeTurns: 1, warmMs: 4_500, shapeWarmMs: 600, ms: 350, shapeMs: 120, rate: 500 },
  ...{ streamsBefore: 1_000, streams: 400, streamBatches: 3, heldMs: 0 },
};
const long: GatewayPlan = {
  ...{ rounds: 9, turns: 10, shapeTurns: 3, warmMs: 15_000, shapeWarmMs: 4_000, ms: 500, shapeMs: 250, rate: 500 },
  ...{ streamsBefore: 2_000, streams: 1_000, streamBatches: 3, heldMs: 60_000 },
};

/** Figures of one subject in one round. */
export interface Sample {
  /** At full speed. CPU explains requests/s; `busy` is the share of the core that was used. */
  perSecond: number;
  cpuMicrosSaturated: number;
  busy: number;
  /** At the fixed rate: latency at a saturated core would be meaningless. */
  latenciesMs: number[];
  firstBytesMs: number[];
  cpuMicrosPerRequest: number;
  residentMb: number;
}

export type SubjectName = "passThrough" | "inProcess" | "withRedis";

export interface Samples {
  main: Record<SubjectName, Sample[]>;
  shapes: { name: Shape["name"]; passThrough: Sample[]; inProcess: Sample[] }[];
  /** Latencies by round. */
  appendLoopMs: number[][];
  costs: Record<"inProcess" | "withRedis" | "direct", CostsPerRequest[]>;
  bytesPerStream: { passThrough: number[]; inProcess: number[]; driftInProcess: number[] };
}

/** Requests/s, latency, CPU, memory, and queries to PostgreSQL and Redis, compared with bare pass-through, interleaved in one run. */
export async function gatewayBench({ full, profile }: { full: boolean; profile: boolean }): Promise<Report> {
  await leaveCoreToSubjects();
  if (profile) return profileGateway(full ? 30_000 : 10_000);
  const plan = full ? long : short;
  return gatewayReport(await sampleGateway(plan), plan);
}

/** All measurements, by round. */
export async function sampleGateway(plan: GatewayPlan): Promise<Samples> {
  const stage = await openStage();
  try {
    const [passThrough, inProcess, withRedis, bare, direct] = await Promise.all([
      stage.passThrough(),
      stage.gateway(),
      stage.gateway({ redis: true }),
      stage.passThrough(forMemory),
      stage.gateway({ mode: "direct", nodeArgs: forMemory }),
    ]);
    const subjects = { passThrough, inProcess, withRedis };
    const run = { stage, all: [...Object.values(subjects), direct] };
    await warmUp(run, passThrough, mainShape, plan.warmMs / 3);
    for (const gateway of [inProcess, withRedis]) await warmUp(run, gateway, mainShape, plan.warmMs);
    const samples: Samples = {
      main: await sampleShape(run, subjects, { shape: mainShape, turns: plan.turns, ms: plan.ms, rate: plan.rate, rounds: plan.rounds }),
      appendLoopMs: [],
      shapes: [],
      costs: await sampleCosts(run, plan, { inProcess, withRedis, direct }),
      bytesPerStream: { passThrough: [], inProcess: [], driftInProcess: [] },
    };
    for (let round = 0; round < plan.rounds; round++) samples.appendLoopMs.push(await appendLoopMs(stage.folder, plan.rate, plan.ms / 2));
    for (const shape of otherShapes) {
      const compared = { passThrough, inProcess };
      for (const subject of Object.values(compared)) await warmUp(run, subject, shape, plan.shapeWarmMs);
      const sliced = { shape, turns: plan.shapeTurns, ms: plan.shapeMs, rate: plan.rate / 2, rounds: plan.rounds };
      samples.shapes.push({ name: shape.name, ...(await sampleShape(run, compared, sliced)) });
    }
    // Last, because thousands of cut streams leave as many ends to settle.
    samples.bytesPerStream = await sampleMemory(plan, bare, direct);
    return samples;
  } finally {
    await stage.close();
  }
}

interface Run {
  stage: Stage;
  /** All subjects that share the core. */
  all: readonly Subject[];
}

/** On all cores, because the compiler threads need one of their own. */
async function warmUp(run: Run, subject: Subject, shape: Shape, ms: number): Promise<void> {
  await moveTo("all", subject);
  await load(run, subject, shape, { ms });
  await moveTo("measured", subject);
}

interface Slices {
  shape: Shape;
  rounds: number;
  /** Per round. */
  turns: number;
  /** Per slice. */
  ms: number;
  rate: number;
}

/**
 * Rounds of one shape (shapes are not mixed, since another shape makes V8 recompile much of the code): first at full speed; then, once
 * the backlog is settled, at the fixed rate.
 */
async function sampleShape<Name extends string>(
  run: Run,
  subjects: Record<Name, Subject>,
  sliced: Slices,
): Promise<Record<Name, Sample[]>> {
  const saturated = await interleaved(run, subjects, { ...sliced, rate: 0 });
  await wait(SETTLED_MS);
  const fixed = await interleaved(run, subjects, sliced);
  const samples = {} as Record<Name, Sample[]>;
  for (const name of Object.keys(subjects) as Name[]) {
    const residentMb = (await residentBytes(pidOf(subjects[name]))) / 2 ** 20;
    samples[name] = saturated[name].map((fast, round) => sampleOf(fast, fixed[name][round] ?? fast, residentMb));
  }
  return samples;
}

function sampleOf(saturated: Asked, fixed: Asked, residentMb: number): Sample {
  const { latenciesMs, ms, cpuMicros } = saturated;
  return {
    perSecond: latenciesMs.length / (ms / 1_000),
    cpuMicrosSaturated: cpuMicros / latenciesMs.length,
    busy: cpuMicros / (ms * 1_000),
    latenciesMs: fixed.latenciesMs,
    firstBytesMs: fixed.firstBytesMs,
    cpuMicrosPerRequest: fixed.cpuMicros / fixed.latenciesMs.length,
    residentMb,
  };
}

/** The load of one subject in a slice, or in all slices of a round. */
interface Asked extends LoadResult {
  cpuMicros: number;
}

/** Runs slices in turn and adds them up by round: the machine's speed changes within a second, by more than the differences to measure. */
async function interleaved<Name extends string>(
  run: Run,
  subjects: Record<Name, Subject>,
  { shape, rounds, turns, ms, rate }: Slices,
): Promise<Record<Name, Asked[]>> {
  const names = Object.keys(subjects) as Name[];
  const asked = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Asked[]>;
  for (let turn = 0; turn < rounds * turns; turn++) {
    for (const name of names) {
      const before = await cpuMicros(pidOf(subjects[name]));
      const slice = await load(run, subjects[name], shape, { ms, rate });
      const cpu = (await cpuMicros(pidOf(subjects[name]))) - before;
      const sum = turn % turns === 0 ? undefined : asked[name].pop();
      asked[name].push(sum ? added(sum, { ...slice, cpuMicros: cpu }) : { ...slice, cpuMicros: cpu });
    }
  }
  return asked;
}

function added(a: Asked, b: Asked): Asked {
  return {
    ms: a.ms + b.ms,
    errors: a.errors + b.errors,
    cpuMicros: a.cpuMicros + b.cpuMicros,
    latenciesMs: [...a.latenciesMs, ...b.latenciesMs],
    firstBytesMs: [...a.firstBytesMs, ...b.firstBytesMs],
  };
}

function pidOf({ child }: Subject): number {
  return child.pid ?? 0;
}

/**
 * Loads one subject while the others are frozen, so that settling its backlog does not run during the next one's measurement.
 * @throws Error when a request failed, since figures of failing requests are meaningless.
 */
async function load(
  { stage, all }: Run,
  subject: Subject,
  { key, body }: Shape,
  asked: { ms: number; rate?: number; connections?: number },
): Promise<LoadResult> {
  for (const other of all) if (other !== subject) other.freeze();
  try {
    const result = await stage.load.run({ port: subject.port, key, body, connections: 64, rate: 0, ...asked });
    if (result.errors > 0) throw new Error(`${result.errors} requests of the load failed`);
    return result;
  } finally {
    for (const other of all) other.thaw();
  }
}

/**
 * Costs at twice the fixed rate (1,000 a second): batches form by time, so the cost per request depends on the rate; with commits before
 * the answer, requests run one after another, so that none share a batch. Uses a key without limits, so that Redis gets only live events.
 */
async function sampleCosts(run: Run, plan: GatewayPlan, gateways: Record<keyof Samples["costs"], Subject>): Promise<Samples["costs"]> {
  const cost = (name: keyof Samples["costs"], asked: { rate: number; connections: number }): Promise<CostsPerRequest> =>
    run.stage.costs(gateways[name], async () => {
      const { latenciesMs } = await load(run, gateways[name], unlimitedShape, { ms: 2 * plan.ms, ...asked });
      return latenciesMs.length;
    });
  await wait(SETTLED_MS);
  return {
    inProcess: [await cost("inProcess", { rate: 2 * plan.rate, connections: 64 })],
    withRedis: [await cost("withRedis", { rate: 2 * plan.rate, connections: 64 })],
    direct: [await cost("direct", { rate: 0, connections: 1 })],
  };
}

/** Memory of streams that have begun, in processes that have hardly run anything else. */
async function sampleMemory(plan: GatewayPlan, bare: Subject, gateway: Subject): Promise<Samples["bytesPerStream"]> {
  const begun = { key: mainShape.key, stream: true, answerBytes: 0 };
  const [passThrough, inProcess] = [openRequests(bare, begun), openRequests(gateway, begun)];
  async function open(count: number): Promise<[number, number]> {
    await Promise.all([passThrough.open(count), inProcess.open(count)]);
    return Promise.all([settledBytes(bare), settledBytes(gateway)]);
  }
  const [bareBefore, ownBefore] = await open(plan.streamsBefore);
  const bytes: Samples["bytesPerStream"] = { passThrough: [], inProcess: [], driftInProcess: [] };
  for (let batch = 1; batch <= plan.streamBatches; batch++) {
    const [base, own] = await open(plan.streams);
    bytes.passThrough.push((base - bareBefore) / (plan.streams * batch));
    bytes.inProcess.push((own - ownBefore) / (plan.streams * batch));
  }
  const before = await settledBytes(gateway);
  await wait(plan.heldMs);
  bytes.driftInProcess.push(((await settledBytes(gateway)) - before) / (plan.streamsBefore + plan.streams * plan.streamBatches));
  passThrough.close();
  inProcess.close();
  return bytes;
}

/** Where the gateway's own time goes under full load. */
async function profileGateway(ms: number): Promise<Report> {
  const stage = await openStage();
  try {
    const folder = join(stage.folder, "profile");
    await mkdir(folder);
    const subject = await stage.gateway({ nodeArgs: profiled(folder) });
    const answered = await load({ stage, all: [subject] }, subject, mainShape, { ms });
    await subject.stop();
    const path = "gateway.cpuprofile";
    for (const line of await summariseProfile(folder, path)) console.log(line);
    console.log(`${path} opens in the performance panel of a browser`);
    const requests = answered.latenciesMs.length;
    return { metrics: { requests: summarise([requests]), perSecond: summarise([requests / (answered.ms / 1_000)]) }, targets: {} };
  } finally {
    await stage.close();
  }
}
