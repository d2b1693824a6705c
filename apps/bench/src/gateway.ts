import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { CostsPerRequest } from "./gateway/counters.ts";
import { appendLoopP50Ms } from "./gateway/fdatasync.ts";
import { gatewayReport } from "./gateway/gateway-report.ts";
import type { LoadResult } from "./gateway/load.ts";
import { bytesPerOpenStream } from "./gateway/open-streams.ts";
import { cpuMicros, leaveCoreToSubjects, residentBytes, runLoad, type Subject } from "./gateway/processes.ts";
import { profiled, summariseProfile } from "./gateway/profile.ts";
import { mainShape, otherShapes, type Shape } from "./gateway/shapes.ts";
import { openStage, type Stage, type SubjectName } from "./gateway/stage.ts";
import { type Report, summarise } from "./report.ts";

/** How much is measured. */
export interface GatewayPlan {
  rounds: number;
  /** Before the first round: what has not run yet is not compiled yet, which takes some ten thousand requests. */
  warmMs: number;
  /** Of each load of the main shape, and of each of the others. */
  ms: number;
  shapeMs: number;
  /** Open at once for memory, twice (see bytesPerOpenStream), and in how many new processes of each. */
  streams: number;
  memoryRounds: number;
  /** At which latency is read, requests/s. */
  rate: number;
}

const short: GatewayPlan = { rounds: 3, warmMs: 6_000, ms: 900, shapeMs: 300, streams: 1_000, memoryRounds: 3, rate: 500 };
const long: GatewayPlan = { rounds: 9, warmMs: 15_000, ms: 5_000, shapeMs: 2_000, streams: 5_000, memoryRounds: 3, rate: 500 };

/** Answers as fast as they came, then at a fixed rate: latency is read there, for a saturated core says nothing of it. */
export interface Sample {
  perSecond: number;
  fixed: LoadResult;
  cpuMicrosPerRequest: number;
  /** CPU at saturation explains requests/s, and unlike them does not depend on what else the machine does. */
  cpuMicrosSaturated: number;
  /** Share of its core that the process used while answers were asked for as fast as they came. */
  busy: number;
  residentMb: number;
}

export interface Samples {
  main: Record<SubjectName, Sample[]>;
  shapes: { name: Shape["name"]; passThrough: Sample[]; inProcess: Sample[] }[];
  appendLoopMsP50: number[];
  costs: { inProcess: CostsPerRequest[]; withRedis: CostsPerRequest[]; direct: CostsPerRequest[] };
  bytesPerStream: { passThrough: number[]; inProcess: number[] };
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
    const { subjects } = stage;
    const samples: Samples = {
      main: { passThrough: [], inProcess: [], withRedis: [] },
      shapes: otherShapes.map(({ name }) => ({ name, passThrough: [], inProcess: [] })),
      appendLoopMsP50: [],
      costs: { inProcess: [], withRedis: [], direct: [] },
      bytesPerStream: { passThrough: [], inProcess: [] },
    };
    for (const subject of Object.values(subjects)) await load(subject, mainShape, { ms: plan.warmMs });
    for (let round = 0; round < plan.rounds; round++) {
      for (const name of Object.keys(subjects) as SubjectName[])
        samples.main[name].push(await measure(subjects[name], mainShape, { ms: plan.ms, rate: plan.rate }));
      samples.appendLoopMsP50.push(await appendLoopP50Ms(stage.folder, plan.rate, plan.ms));
      for (const [at, shape] of otherShapes.entries())
        for (const name of ["passThrough", "inProcess"] as const)
          samples.shapes[at]?.[name].push(await measure(subjects[name], shape, { ms: plan.shapeMs, rate: plan.rate / 2 }));
    }
    await countCosts(stage, plan, samples);
    await subjects.inProcess.stop();
    for (let round = 0; round < plan.memoryRounds; round++) {
      samples.bytesPerStream.passThrough.push(await memoryOf(await stage.freshPassThrough(), plan.streams));
      samples.bytesPerStream.inProcess.push(await memoryOf(await stage.freshGateway(), plan.streams));
    }
    return samples;
  } finally {
    await stage.close();
  }
}

/** At twice the fixed rate (1,000 a second): batches are by time, so that a request's share is told for a rate; what is committed before its answer one after another, so that nothing meets in a batch. */
async function countCosts(stage: Stage, plan: GatewayPlan, { costs }: Samples): Promise<void> {
  for (const name of ["inProcess", "withRedis"] as const) {
    const fixed = async (): Promise<number> => (await load(stage.subjects[name], mainShape, { ms: plan.ms, rate: 2 * plan.rate })).requests;
    costs[name].push(await stage.costs(name, fixed));
  }
  costs.direct.push(await stage.directCosts(async (subject) => (await load(subject, mainShape, { ms: plan.ms, connections: 1 })).requests));
}

/** @throws Error when a request failed: figures of failing requests say nothing. */
async function load(subject: Subject, shape: Shape, load: { ms: number; rate?: number; connections?: number }): Promise<LoadResult> {
  const result = await runLoad({ port: subject.port, key: shape.key, body: shape.body, connections: 64, rate: 0, ...load });
  if (result.errors > 0) throw new Error(`${result.errors} requests of the load failed`);
  return result;
}

async function measure(subject: Subject, shape: Shape, { ms, rate }: { ms: number; rate: number }): Promise<Sample> {
  const pid = subject.child.pid ?? 0;
  const start = await cpuMicros(pid);
  const closed = await load(subject, shape, { ms });
  const between = await cpuMicros(pid);
  const fixed = await load(subject, shape, { ms, rate });
  const cpu = (await cpuMicros(pid)) - between;
  return {
    perSecond: closed.perSecond,
    fixed,
    cpuMicrosPerRequest: cpu / fixed.requests,
    cpuMicrosSaturated: (between - start) / closed.requests,
    busy: (between - start) / (ms * 1_000),
    residentMb: (await residentBytes(pid)) / 2 ** 20,
  };
}

/** Where the gateway's own time goes when it has as much to do as it can. */
async function profileGateway(ms: number): Promise<Report> {
  const stage = await openStage();
  try {
    await stage.subjects.inProcess.stop();
    const folder = join(stage.folder, "profile");
    await mkdir(folder);
    const subject = await stage.freshGateway(profiled(folder));
    const { requests, perSecond } = await load(subject, mainShape, { ms });
    await subject.stop();
    const path = "gateway.cpuprofile";
    for (const line of await summariseProfile(folder, path)) console.log(line);
    console.log(`${path} opens in the performance panel of a browser`);
    return { metrics: { requests: summarise([requests]), perSecond: summarise([perSecond]) }, targets: {} };
  } finally {
    await stage.close();
  }
}

async function memoryOf(subject: Subject, count: number): Promise<number> {
  try {
    return await bytesPerOpenStream(subject, mainShape.key, count);
  } finally {
    await subject.stop();
  }
}
