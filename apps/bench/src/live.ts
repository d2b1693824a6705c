import { setTimeout as sleep } from "node:timers/promises";
import { statementsDuring } from "@sluice/testing/statements";
import { cpuMicros, type Subject } from "./gateway/processes.ts";
import type { Child } from "./live/child.ts";
import { idleStatements } from "./live/idle.ts";
import { settledBytes } from "./live/settled-bytes.ts";
import { key, openStage, type Stage } from "./live/stage.ts";
import { measureStalled, type StalledResult } from "./live/stalled.ts";
import type { TrafficResult } from "./live/traffic.ts";
import type { ViewersReport } from "./live/viewers.ts";
import { type BenchOptions, type Metric, paired, type Report, summarise } from "./report.ts";

/**
 * The cost of viewers: 200 requests a second through a gateway, watched through a separate api process. Rounds without and with viewers
 * alternate, each on a new api; CPU of the gateway, PostgreSQL statements and memory are compared within a round. Then every viewer is
 * disconnected three times while some stop reading, and lost and duplicated rows are counted.
 */
const rate = 200;
const viewers = 1_000;
const manyViewers = 5_000;
const stalledViewers = 50;
const reconnects = 3;
const SHORT_MS = 45_000;
const body = JSON.stringify({ model: "bench-model", max_tokens: 100, messages: [{ role: "user", content: "Tell me something." }] });

interface Cost {
  gatewayCpuMicros: number;
  /** Share of a core that the api used. */
  apiBusy: number;
  statementsPerRequest: number;
}

interface Round {
  bare: Cost;
  watched: Cost;
  frames: ViewersReport;
  openMs: number;
  bytesPerViewer: number;
}

/** A period of traffic, and its cost. */
async function drive(stage: Stage, api: Subject, ms: number, perSecond = rate): Promise<{ cost: Cost; ends: TrafficResult["ends"] }> {
  const pids = [stage.gateway.child.pid ?? 0, api.child.pid ?? 0];
  const [gatewayBefore = 0, apiBefore = 0] = await Promise.all(pids.map(cpuMicros));
  let result: TrafficResult = { ends: [], errors: 0 };
  const statements = await statementsDuring(stage.database.pool, async () => {
    result = await stage.traffic.ask<TrafficResult>("run", { port: stage.gateway.port, key, body, rate: perSecond, ms });
  });
  const [gatewayAfter = 0, apiAfter = 0] = await Promise.all(pids.map(cpuMicros));
  const { ends, errors } = result;
  if (errors > 0) throw new Error(`${errors} requests of the load failed`);
  const cost = {
    gatewayCpuMicros: (gatewayAfter - gatewayBefore) / ends.length,
    apiBusy: (apiAfter - apiBefore) / (ms * 1_000),
    statementsPerRequest: statements.length / ends.length,
  };
  return { cost, ends };
}

/** Traffic with viewers, from when all are connected until the last frame has had time to arrive. */
async function watch(stage: Stage, api: Subject, child: Child, { count, ms }: { count: number; ms: number }) {
  const openMs = await child.ask<number>("open", { url: `http://127.0.0.1:${api.port}`, cookies: stage.cookies, count });
  await child.ask("note", { on: true });
  const { cost, ends } = await drive(stage, api, ms);
  await sleep(1_000);
  const frames = await child.ask<ViewersReport>("report", { ends });
  await child.ask("note", { on: false });
  return { openMs, cost, frames };
}

async function measureRound(stage: Stage, child: Child, api: Subject, ms: number): Promise<Round> {
  const { cost: bare } = await drive(stage, api, ms);
  const before = await settledBytes(api);
  const { cost: watched, frames, openMs } = await watch(stage, api, child, { count: viewers, ms });
  const bytesPerViewer = ((await settledBytes(api)) - before) / viewers;
  return { bare, watched, frames, openMs, bytesPerViewer };
}

/** Disconnects every viewer three times during traffic. */
async function disturb(stage: Stage, api: Subject, child: Child, ms: number): Promise<{ frames: ViewersReport; reconnectCpuMs: number }> {
  await child.ask("note", { on: true });
  const { cost: calm } = await drive(stage, api, ms);
  const traffic = drive(stage, api, (reconnects + 0.5) * ms);
  for (let times = 0; times < reconnects; times++) await child.ask("reconnect", { ms });
  const { ends, cost } = await traffic;
  await sleep(1_500);
  const frames = await child.ask<ViewersReport>("report", { ends });
  return { frames, reconnectCpuMs: ((cost.apiBusy - calm.apiBusy) * (reconnects + 0.5) * ms) / (reconnects * viewers) };
}

/** Viewers that stop reading, under more traffic than usual, so that kernel buffers fill sooner. */
async function stall(stage: Stage, api: Subject): Promise<StalledResult> {
  let over = false;
  const traffic = (async () => {
    while (!over) await drive(stage, api, 1_000, 5 * rate);
  })();
  const result = await measureStalled(api, stage.cookies[0] ?? "", stalledViewers).finally(() => {
    over = true;
  });
  await traffic;
  return result;
}

export async function liveBench({ full }: BenchOptions): Promise<Report> {
  const stage = await openStage();
  try {
    const began = performance.now();
    const ms = full ? 12_000 : 2_000;
    const rounds: Round[] = [];
    const child = await stage.startViewers();
    let api = await stage.startApi();
    await drive(stage, api, 1_500);
    for (let round = 0; round < (full ? 7 : 3); round++) {
      if (round > 0) {
        await child.ask("close");
        await api.stop();
        api = await stage.startApi();
      }
      rounds.push(await measureRound(stage, child, api, ms));
    }
    const disturbed = await disturb(stage, api, child, full ? 8_000 : 2_000);
    await child.ask("close");
    const stalled = await stall(stage, api);
    const metrics = { ...ofRounds(rounds), ...ofDisturbed(disturbed, stalled) };
    // The short form is limited to a minute, which a busy machine has already used up.
    if (full || performance.now() - began < SHORT_MS) {
      Object.assign(metrics, ofMany(await watch(stage, api, child, { count: manyViewers, ms: full ? 10_000 : 2_000 })));
      await child.ask("close");
    }
    if (full) metrics.idleStatements = summarise([await idleStatements(stage, api, 60_000)]);
    return { metrics, targets: full ? { ...targets, idleStatements: { atMost: 0 } } : targets };
  } finally {
    await stage.close();
  }
}

const targets: Report["targets"] = {
  endToFrameMsP50: { atMost: 200 },
  endToFrameMsP99: { atMost: 500 },
  bytesPerViewer: { atMost: 170 * 1024 },
  gatewayCpuRatio: { atMost: 1.1 },
  statementsRatio: { atMost: 1.05 },
  lost: { atMost: 0 },
  repeated: { atMost: 0 },
  stalledBytes: { atMost: 2 ** 20 },
  stalledGoneMs: { atMost: 10_000 },
};

function ofRounds(rounds: Round[]): Record<string, Metric> {
  const each = (of: (round: Round) => number): Metric => summarise(rounds.map(of));
  const ratio = (of: (cost: Cost) => number): Metric => paired(rounds, rounds, ({ watched }, { bare }) => of(watched) / of(bare));
  return {
    viewers: summarise([viewers]),
    rowsPerSecond: summarise([rate]),
    endToFrameMsP50: each(({ frames }) => frames.latency.p50Ms),
    endToFrameMsP99: each(({ frames }) => frames.latency.p99Ms),
    bytesPerViewer: each(({ bytesPerViewer }) => bytesPerViewer),
    openAllMs: each(({ openMs }) => openMs),
    apiBusy: each(({ watched }) => watched.apiBusy),
    gatewayCpuMicrosBare: each(({ bare }) => bare.gatewayCpuMicros),
    gatewayCpuMicrosWatched: each(({ watched }) => watched.gatewayCpuMicros),
    gatewayCpuRatio: ratio(({ gatewayCpuMicros }) => gatewayCpuMicros),
    statementsPerRequestBare: each(({ bare }) => bare.statementsPerRequest),
    statementsRatio: ratio(({ statementsPerRequest }) => statementsPerRequest),
  };
}

function ofDisturbed({ frames, reconnectCpuMs }: Awaited<ReturnType<typeof disturb>>, stalled: StalledResult): Record<string, Metric> {
  return {
    reconnectsEach: summarise([reconnects]),
    reconnectCpuMs: summarise([reconnectCpuMs]),
    holes: summarise([frames.holes]),
    retries: summarise([frames.retries]),
    lost: summarise([frames.lost]),
    repeated: summarise([frames.repeated + frames.disorder]),
    stalledBytes: summarise([stalled.bytesEach]),
    stalledKernelBytes: summarise([stalled.kernelBytesEach]),
    stalledGoneMs: summarise([stalled.goneAfterMs]),
  };
}

function ofMany({ openMs, cost, frames }: Awaited<ReturnType<typeof watch>>): Record<string, Metric> {
  return {
    manyViewers: summarise([manyViewers]),
    manyOpenAllMs: summarise([openMs]),
    manyEndToFrameMsP50: summarise([frames.latency.p50Ms]),
    manyEndToFrameMsP99: summarise([frames.latency.p99Ms]),
    manyLost: summarise([frames.lost]),
    manyApiBusy: summarise([cost.apiBusy]),
  };
}
