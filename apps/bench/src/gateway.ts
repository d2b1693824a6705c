import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@sluice/testing/ports";
import { createTestDatabase } from "@sluice/testing/postgres";
import { startTestRedis } from "@sluice/testing/redis";
import { appendLoopP50Ms } from "./gateway/fdatasync.ts";
import { bytesPerOpenStream } from "./gateway/open-streams.ts";
import {
  collectable,
  cpuMicros,
  leaveCoreToSubjects,
  runLoad,
  type Subject,
  startGateway,
  startPassThrough,
  startUpstream,
} from "./gateway/processes.ts";
import { profiled, summariseProfile } from "./gateway/profile.ts";
import { type Metric, type Report, summarise } from "./report.ts";

const key = "sk-bench-0123456789abcdef0123456789";
const body = JSON.stringify({
  model: "bench-model",
  max_tokens: 100,
  messages: [{ role: "user", content: "Tell me something that takes about a kilobyte to ask. ".repeat(16) }],
});
const upstreamCount = 5;

const configYaml = (ports: readonly number[]): string => `
providers:
${ports.map((port) => `  - { name: bench-${port}, dialect: anthropic, baseUrl: "http://127.0.0.1:${port}", secret: sk-upstream, models: [bench-model] }`).join("\n")}
users:
  - { email: bench@example.com, name: Bench, role: user, keys: [{ name: bench, key: ${key} }] }
prices:
  - { model: bench-model, inputPerMTok: "3", outputPerMTok: "15" }
`;

interface Stage {
  folder: string;
  passThrough: Subject;
  inProcess: Subject;
  withRedis: Subject;
  /** New processes, for memory: nothing has run in them yet. */
  freshPassThrough(): Promise<Subject>;
  freshGateway(nodeArgs?: readonly string[]): Promise<Subject>;
  close(): Promise<void>;
}

async function openStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  const upstreamPorts = await Promise.all(Array.from({ length: upstreamCount }, () => freePort()));
  const configPath = join(folder, "config.yaml");
  await writeFile(configPath, configYaml(upstreamPorts));
  // At once: a port that was found free may be anybody's a second later.
  const upstream = await startUpstream(upstreamPorts);
  const databases = [await createTestDatabase(), await createTestDatabase()];
  const redis = await startTestRedis();
  const env = (index: number, extra: Record<string, string>): Record<string, string> => ({
    DATABASE_URL: databases[index]?.url ?? "",
    SLUICE_DATA_DIR: join(folder, `data-${index}`),
    SLUICE_CONFIG: configPath,
    SLUICE_ALLOW_PRIVATE_UPSTREAMS: upstreamPorts.map((port) => `127.0.0.1:${port}`).join(","),
    SLUICE_LOG_LEVEL: "warn",
    ...extra,
  });
  const upstreamUrls = upstreamPorts.map((port) => `http://127.0.0.1:${port}`);
  const passThrough = await startPassThrough(await freePort(), upstreamUrls);
  const inProcess = await startGateway(await freePort(), env(0, { REDIS_URL: "none" }));
  const withRedis = await startGateway(await freePort(), env(1, { REDIS_URL: redis.url }));
  return {
    folder,
    passThrough,
    inProcess,
    withRedis,
    async freshPassThrough() {
      return startPassThrough(await freePort(), upstreamUrls, collectable);
    },
    async freshGateway(nodeArgs = collectable) {
      return startGateway(await freePort(), env(0, { REDIS_URL: "none" }), nodeArgs);
    },
    async close() {
      await Promise.all([passThrough.stop(), inProcess.stop(), withRedis.stop(), upstream.stop()]);
      await redis.stop();
      for (const database of databases) await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Sample {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  cpuMicrosPerRequest: number;
  cpuMicrosSaturated: number;
  /** Share of its core that the process used while answers were asked for as fast as they came. */
  busy: number;
}

/**
 * As fast as answers come, then at a fixed rate: latency is read there, for a saturated core says nothing of it. CPU is read at both;
 * at saturation it explains requests/s, and unlike them does not depend on what else the machine does.
 */
async function measure(subject: Subject, rate: number, ms: number): Promise<Sample> {
  const pid = subject.child.pid ?? 0;
  const cpuStart = await cpuMicros(pid);
  const closed = await runLoad({ port: subject.port, key, body, connections: 64, ms, rate: 0 });
  const cpuBefore = await cpuMicros(pid);
  const open = await runLoad({ port: subject.port, key, body, connections: 64, ms, rate });
  const cpu = (await cpuMicros(pid)) - cpuBefore;
  if (closed.errors + open.errors > 0) throw new Error(`${closed.errors + open.errors} requests of the load failed`);
  return {
    perSecond: closed.perSecond,
    p50Ms: open.p50Ms,
    p99Ms: open.p99Ms,
    cpuMicrosPerRequest: cpu / open.requests,
    cpuMicrosSaturated: (cpuBefore - cpuStart) / closed.requests,
    busy: (cpuBefore - cpuStart) / (ms * 1_000),
  };
}

/** Requests/s, latency, CPU and memory of the gateway beside bare pass-through, interleaved in one run. */
export async function gatewayBench({ full, profile }: { full: boolean; profile: boolean }): Promise<Report> {
  await leaveCoreToSubjects();
  if (profile) return profileGateway(full ? 30_000 : 10_000);
  const rounds = full ? 9 : 3;
  const ms = full ? 5_000 : 1_100;
  const rate = 500;
  const stage = await openStage();
  try {
    const subjects = { passThrough: stage.passThrough, inProcess: stage.inProcess, withRedis: stage.withRedis };
    const samples: Record<keyof typeof subjects, Sample[]> = { passThrough: [], inProcess: [], withRedis: [] };
    const appendLoop: number[] = [];
    for (const subject of Object.values(subjects)) await runLoad({ port: subject.port, key, body, connections: 64, ms: 1_500, rate: 0 });
    for (let round = 0; round < rounds; round++) {
      for (const name of Object.keys(subjects) as (keyof typeof subjects)[]) samples[name].push(await measure(subjects[name], rate, ms));
      appendLoop.push(await appendLoopP50Ms(stage.folder, rate, full ? 1_000 : 500));
    }
    const streams = full ? 5_000 : 1_000;
    await stage.inProcess.stop();
    const memory: Record<"passThrough" | "inProcess", number[]> = { passThrough: [], inProcess: [] };
    for (let round = 0; round < 3; round++) {
      memory.passThrough.push(await memoryOf(await stage.freshPassThrough(), streams));
      memory.inProcess.push(await memoryOf(await stage.freshGateway(), streams));
    }
    return report(samples, appendLoop, memory, rate);
  } finally {
    await stage.close();
  }
}

/** Where the gateway's own time goes when it has as much to do as it can. */
async function profileGateway(ms: number): Promise<Report> {
  const stage = await openStage();
  try {
    await stage.inProcess.stop();
    const folder = join(stage.folder, "profile");
    await mkdir(folder);
    const subject = await stage.freshGateway(profiled(folder));
    const { requests, perSecond } = await runLoad({ port: subject.port, key, body, connections: 64, ms, rate: 0 });
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
    return await bytesPerOpenStream(subject, key, count);
  } finally {
    await subject.stop();
  }
}

function report(
  samples: Record<"passThrough" | "inProcess" | "withRedis", Sample[]>,
  appendLoop: number[],
  memory: { passThrough: number[]; inProcess: number[] },
  rate: number,
): Report {
  const paired = (name: "inProcess" | "withRedis", of: (own: Sample, base: Sample) => number): Metric =>
    summarise(samples[name].map((own, round) => of(own, samples.passThrough[round] ?? own)));
  const each = (name: keyof typeof samples, of: (sample: Sample) => number): Metric => summarise(samples[name].map(of));
  const beyondAppend = summarise(
    samples.inProcess.map((own, round) => own.p50Ms - (samples.passThrough[round]?.p50Ms ?? 0) - (appendLoop[round] ?? 0)),
  );
  const metrics: Record<string, Metric> = {
    fixedRatePerSecond: summarise([rate]),
    perSecondPassThrough: each("passThrough", (sample) => sample.perSecond),
    perSecondInProcess: each("inProcess", (sample) => sample.perSecond),
    perSecondWithRedis: each("withRedis", (sample) => sample.perSecond),
    ratioInProcess: paired("inProcess", (own, base) => own.perSecond / base.perSecond),
    ratioWithRedis: paired("withRedis", (own, base) => own.perSecond / base.perSecond),
    cpuMicrosPassThrough: each("passThrough", (sample) => sample.cpuMicrosPerRequest),
    cpuMicrosInProcess: each("inProcess", (sample) => sample.cpuMicrosPerRequest),
    cpuMicrosWithRedis: each("withRedis", (sample) => sample.cpuMicrosPerRequest),
    cpuMicrosSaturatedPassThrough: each("passThrough", (sample) => sample.cpuMicrosSaturated),
    cpuMicrosSaturatedInProcess: each("inProcess", (sample) => sample.cpuMicrosSaturated),
    cpuMicrosSaturatedWithRedis: each("withRedis", (sample) => sample.cpuMicrosSaturated),
    cpuRatioSaturatedInProcess: paired("inProcess", (own, base) => own.cpuMicrosSaturated / base.cpuMicrosSaturated),
    cpuRatioSaturatedWithRedis: paired("withRedis", (own, base) => own.cpuMicrosSaturated / base.cpuMicrosSaturated),
    busyPassThrough: each("passThrough", (sample) => sample.busy),
    busyInProcess: each("inProcess", (sample) => sample.busy),
    addedMsP50InProcess: paired("inProcess", (own, base) => own.p50Ms - base.p50Ms),
    addedMsP99InProcess: paired("inProcess", (own, base) => own.p99Ms - base.p99Ms),
    addedMsP50WithRedis: paired("withRedis", (own, base) => own.p50Ms - base.p50Ms),
    addedMsP99WithRedis: paired("withRedis", (own, base) => own.p99Ms - base.p99Ms),
    appendLoopMsP50: summarise(appendLoop),
    addedBeyondAppendLoopMsP50: beyondAppend,
    bytesPerStreamPassThrough: summarise(memory.passThrough),
    bytesPerStreamInProcess: summarise(memory.inProcess),
    bytesPerStreamAdded: summarise(memory.inProcess.map((own, round) => own - (memory.passThrough[round] ?? own))),
  };
  return {
    metrics,
    targets: {
      // Below this the load, or another process on the core, was the limit: the ratios of such a run compare nothing.
      busyPassThrough: { atLeast: 0.8 },
      ratioInProcess: { atLeast: 0.5 },
      ratioWithRedis: { atLeast: 0.4 },
      addedBeyondAppendLoopMsP50: { atMost: 1.5 },
      bytesPerStreamAdded: { atMost: 48 * 1024 },
    },
  };
}
