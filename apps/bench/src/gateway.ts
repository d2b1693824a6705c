import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type CostsPerRequest, SETTLED_MS } from "./gateway/counters.ts";
import { appendLoopP50Ms } from "./gateway/fdatasync.ts";
import { gatewayReport } from "./gateway/gateway-report.ts";
import type { LoadResult } from "./gateway/load.ts";
import { openRequests, settledBytes } from "./gateway/open-requests.ts";
import { cpuMicros, forMemory, leaveCoreToSubjects, moveTo, residentBytes, type Subject } from "./gateway/processes.ts";
import { profiled, summariseProfile } from "./gateway/profile.ts";
import { mainShape, otherShapes, type Shape, unlimitedShape } from "./gateway/shapes.ts";
import { openStage, type Stage } from "./gateway/stage.ts";
import { type Report, summarise } from "./report.ts";

/** How much is measured. */
export interface GatewayPlan {
  rounds: number;
  /** Turns of a round: each is a slice of every subject, and their sum is the round's figure. */
  turns: number;
  /** Of a gateway, before the first round: what has not run yet is not compiled yet, which takes some ten thousand requests. */
  warmMs: number;
  /** A slice of the main shape, and of each of the others. */
  ms: number;
  shapeMs: number;
  /** Open before memory is compared: they take up the room that starting has left in a heap. Then so many more, this often. */
  streamsBefore: number;
  streams: number;
  streamBatches: number;
  /** How long they are held before they are looked at again. */
  heldMs: number;
  /** At which latency is read, requests/s. */
  rate: number;
}

const short: GatewayPlan = {
  ...{ rounds: 3, turns: 2, warmMs: 6_000, ms: 350, shapeMs: 120, rate: 500 },
  ...{ streamsBefore: 1_000, streams: 400, streamBatches: 3, heldMs: 0 },
};
const long: GatewayPlan = {
  ...{ rounds: 9, turns: 10, warmMs: 15_000, ms: 500, shapeMs: 250, rate: 500 },
  ...{ streamsBefore: 2_000, streams: 1_000, streamBatches: 3, heldMs: 60_000 },
};

/** What one subject did in one round. */
export interface Sample {
  /** As fast as answers come. CPU explains requests/s, and `busy` is its share of the core. */
  perSecond: number;
  cpuMicrosSaturated: number;
  busy: number;
  /** At the fixed rate: latency is read there, for a saturated core says nothing of it. */
  latenciesMs: number[];
  firstBytesMs: number[];
  cpuMicrosPerRequest: number;
  residentMb: number;
}

export type SubjectName = "passThrough" | "inProcess" | "withRedis";

export interface Samples {
  main: Record<SubjectName, Sample[]>;
  shapes: { name: Shape["name"]; passThrough: Sample[]; inProcess: Sample[] }[];
  appendLoopMsP50: number[];
  costs: Record<"inProcess" | "withRedis" | "direct", CostsPerRequest[]>;
  bytesPerStream: { passThrough: number[]; inProcess: number[]; driftInProcess: number[] };
}

/** Requests/s, latency, CPU, memory, and what is asked of PostgreSQL and Redis, beside bare pass-through, interleaved in one run. */
export async function gatewayBench({ full, profile }: { full: boolean; profile: boolean }): Promise<Report> {
  await leaveCoreToSubjects();
  if (profile) return profileGateway(full ? 30_000 : 10_000);
  const plan = full ? long : short;
  return gatewayReport(await sampleGateway(plan), plan);
}

/** All that is measured, by round. */
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
    await warmUp(run, passThrough, plan.warmMs / 3);
    for (const gateway of [inProcess, withRedis]) await warmUp(run, gateway, plan.warmMs);
    const samples: Samples = {
      main: await sampleShape(run, subjects, { shape: mainShape, turns: plan.turns, ms: plan.ms, rate: plan.rate, rounds: plan.rounds }),
      appendLoopMsP50: [],
      shapes: [],
      costs: await sampleCosts(run, plan, { inProcess, withRedis, direct }),
      bytesPerStream: { passThrough: [], inProcess: [], driftInProcess: [] },
    };
    for (let round = 0; round < plan.rounds; round++)
      samples.appendLoopMsP50.push(await appendLoopP50Ms(stage.folder, plan.rate, plan.ms / 2));
    for (const shape of otherShapes) {
      const compared = { passThrough, inProcess };
      for (const subject of Object.values(compared)) await load(run, subject, shape, { ms: plan.warmMs / 20 });
      const sliced = { shape, turns: 1, ms: plan.shapeMs, rate: plan.rate / 2, rounds: plan.rounds };
      samples.shapes.push({ name: shape.name, ...(await sampleShape(run, compared, sliced)) });
    }
    // Last: thousands of streams that are cut leave as many ends to be settled.
    samples.bytesPerStream = await sampleMemory(plan, bare, direct);
    return samples;
  } finally {
    await stage.close();
  }
}

interface Run {
  stage: Stage;
  /** All that share the core. */
  all: readonly Subject[];
}

/** On all cores: what compiles the code needs one of its own. */
async function warmUp(run: Run, subject: Subject, ms: number): Promise<void> {
  await moveTo("all", subject);
  await load(run, subject, mainShape, { ms });
  await moveTo("measured", subject);
}

interface Slices {
  shape: Shape;
  rounds: number;
  /** Of a round. */
  turns: number;
  /** Of a slice. */
  ms: number;
  rate: number;
}

/**
 * Rounds of one shape (each shape by itself: with another much of the code is compiled anew): as fast as answers come; then, when what that
 * has left is settled, at the rate.
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

/** What was asked of one subject in a slice, or in all slices of a round. */
interface Asked extends LoadResult {
  cpuMicros: number;
}

/** Slices in turn, added up by round: what this machine gives a core changes within a second, by more than what is compared. */
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
 * Asks one subject while the others are frozen: what it leaves to be settled is its own time's work, and not the next one's.
 * @throws Error when a request failed: figures of failing requests say nothing.
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

/** At twice the fixed rate (1,000 a second): batches are by time, so that a request's share is told for a rate; what is committed before its answer one after another, so that nothing meets in a batch. By a key without limits: of Redis only what watchers are told is asked. */
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

/** Streams that have begun, in processes in which next to nothing has run yet. */
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

/** Where the gateway's own time goes when it has as much to do as it can. */
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
