import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "@sluice/testing/deadline";
import { callModel } from "@sluice/testing/model-client";
import type { ServerProcess } from "@sluice/testing/server-process";
import { startSlowProxy } from "@sluice/testing/slow-proxy";
import type { Finding } from "./checker/finding.ts";
import { check } from "./checks.ts";
import { clientKey, type Installation, openInstallation, spoolDepth } from "./installation.ts";

/**
 * Postgres stopped, then slow, under a steady stream of requests: known keys are served throughout, their charges wait in the spool, and
 * each of them becomes one insert.
 */
export interface OutageReport {
  lines: string[];
  /** Requests of known keys that did not reach a proper end. */
  failed: string[];
  findings: Finding[];
}

const perSecond = 200;
const warmMs = 5_000;
const outageMs = 60_000;
const slowMs = 20_000;
const statementMs = 5_000;

/** @throws when the gateway does not come to rest. */
export async function runOutage(): Promise<OutageReport> {
  const report: OutageReport = { lines: [], failed: [], findings: [] };
  const installation = await openInstallation({
    settings: { "ledger.intervalMs": 250, "ledger.batchSize": 500 },
    segmentBytes: 16 * 1024 * 1024,
    durable: true,
  });
  const proxy = await startSlowProxy(Number(new URL(installation.postgres.url).port));
  try {
    await stopped(installation, report);
    await slowed(installation, proxy, report);
    report.lines.push(await writes(installation, report));
    report.findings = await check(installation);
  } finally {
    await proxy.close();
    await installation.remove();
  }
  return report;
}

async function stopped(installation: Installation, report: OutageReport): Promise<void> {
  const server = await installation.start();
  const memory = watchMemory(server);
  const load = startLoad(installation, report);
  await sleep(warmMs);
  const usual = load.latencies();
  const before = memory.now();
  await installation.setPostgres("down");
  await sleep(outageMs);
  const meanwhile = load.latencies();
  const depth = await spoolDepth(installation.url);
  await installation.setPostgres("up");
  const drain = await watchDrain(installation.url, depth);
  await load.stop();
  await until(async () => (await spoolDepth(installation.url)) === 0, { what: "every end is settled", deadlineMs: 60_000 });
  report.lines.push(
    `Postgres stopped for ${outageMs / 1_000} s at ${perSecond} requests/s: ${load.made()} requests, ${report.failed.length} failed`,
    `  drained ${depth} rows at ${drain.perSecond} rows/s, beginning ${drain.firstMs} ms after its return`,
    `  latency ${usual} before, ${meanwhile} meanwhile`,
    `  memory ${megabytes(before)} before, ${megabytes(memory.most())} at most, ${megabytes(memory.now())} afterwards`,
  );
  memory.stop();
  await stopInOrder(server, report);
}

async function slowed(installation: Installation, proxy: Awaited<ReturnType<typeof startSlowProxy>>, report: OutageReport): Promise<void> {
  const url = new URL(installation.postgres.url);
  url.port = String(proxy.port);
  const server = await installation.start({ DATABASE_URL: url.href });
  const load = startLoad(installation, report);
  await sleep(warmMs);
  const usual = load.latencies();
  proxy.delay(statementMs);
  await sleep(slowMs);
  const meanwhile = load.latencies();
  proxy.delay(0);
  await load.stop();
  await until(async () => (await spoolDepth(installation.url)) === 0, { what: "every end is settled", deadlineMs: 60_000 });
  report.lines.push(
    `Postgres slow (${statementMs / 1_000} s a statement) for ${slowMs / 1_000} s: ${load.made()} requests, ${report.failed.length} failed`,
    `  latency ${usual} before, ${meanwhile} meanwhile`,
  );
  await stopInOrder(server, report);
}

async function stopInOrder(server: ServerProcess, report: OutageReport): Promise<void> {
  const code = await server.stop();
  if (code !== 0) report.failed.push(`the stop ended with ${code}`);
}

/** Requests at a fixed rate, whatever happens to earlier ones. */
function startLoad({ url, log }: Installation, report: OutageReport) {
  const running = new Set<Promise<void>>();
  let made = 0;
  let latencies: number[] = [];
  const one = async (n: number): Promise<void> => {
    const began = performance.now();
    const seen = await callModel(url, { dialect: "anthropic", model: "claude-quick", stream: n % 2 === 0, key: clientKey });
    latencies.push(performance.now() - began);
    log.write(seen, "end");
    if (seen.outcome !== "complete") report.failed.push(`${seen.id || "no id"}: ${seen.status} ${seen.failure} ${seen.text.slice(0, 200)}`);
  };
  const tickMs = 25;
  const timer = setInterval(() => {
    for (let i = 0; i < (perSecond * tickMs) / 1_000; i++) {
      const done: Promise<void> = one(made++).finally(() => running.delete(done));
      running.add(done);
    }
  }, tickMs);
  return {
    made: () => made,
    /** p50 and p99 since the last call. */
    latencies() {
      const sorted = latencies.sort((a, b) => a - b);
      latencies = [];
      const at = (share: number) => `${(sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1)} ms`;
      return `p50 ${at(0.5)} p99 ${at(0.99)}`;
    },
    async stop() {
      clearInterval(timer);
      await Promise.all(running);
    },
  };
}

/** How fast a backlog of `depth` shrinks: from the first committed batch until no more than a second's worth is waiting. */
async function watchDrain(url: string, depth: number): Promise<{ perSecond: number; firstMs: number }> {
  const back = performance.now();
  await until(async () => (await spoolDepth(url)) < depth, { what: "the backlog gets shorter", deadlineMs: 60_000, everyMs: 5 });
  const first = performance.now();
  const left = await spoolDepth(url);
  await until(async () => (await spoolDepth(url)) <= perSecond, { what: "the backlog is gone", deadlineMs: 120_000, everyMs: 20 });
  const seconds = (performance.now() - first) / 1_000;
  return { perSecond: Math.round((left - perSecond) / seconds + perSecond), firstMs: Math.round(first - back) };
}

function watchMemory({ pid }: ServerProcess) {
  let [last, most] = [0, 0];
  const look = async (): Promise<void> => {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    last = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024;
    most = Math.max(most, last);
  };
  const timer = setInterval(() => void look(), 500);
  return { now: () => last, most: () => most, stop: () => clearInterval(timer) };
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MB`;
}

/** From pg_stat_user_tables: inserts = requests, no updates, no deletes. */
async function writes({ postgres: { pool } }: Installation, report: OutageReport): Promise<string> {
  const read = async () => {
    await pool.query("SELECT pg_stat_force_next_flush()");
    const { rows } = await pool.query<{
      rows: number;
      ins: number;
      upd: number;
      del: number;
    }>(`SELECT (SELECT count(*)::int FROM requests) AS rows,
      sum(n_tup_ins)::int AS ins, sum(n_tup_upd)::int AS upd, sum(n_tup_del)::int AS del FROM pg_stat_user_tables WHERE relname ~ '^requests_\\d'`);
    return rows[0] ?? { rows: 0, ins: 0, upd: 0, del: 0 };
  };
  const told = await until(async () => ((await read()).ins >= (await read()).rows ? await read() : null), {
    what: "the statistics have arrived",
  }).catch(read);
  const { rows, ins, upd, del } = told;
  if (ins !== rows || upd + del > 0) report.failed.push(`${rows} requests are ${ins} inserts, ${upd} updates, ${del} deletes`);
  return `${rows} requests: ${ins} inserts, ${upd} updates, ${del} deletes in table requests`;
}
