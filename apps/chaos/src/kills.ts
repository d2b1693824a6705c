import { readdir } from "node:fs/promises";
import { until } from "@sluice/testing/deadline";
import { type Random, seededRandom } from "@sluice/testing/seeded-random";
import { Redis } from "ioredis";
import type { Finding } from "./checker/finding.ts";
import { check } from "./checks.ts";
import { giveCredit } from "./credit.ts";
import { clientKey, type Installation, openInstallation, spoolDepth } from "./installation.ts";
import { live } from "./life.ts";
import { nameOf, type Step } from "./plan.ts";
import { drive } from "./traffic.ts";

/** Results of the kills of all installations. */
export interface KillReport {
  kills: number;
  /** Number of kills by failpoint. */
  atFailpoint: Map<string, number>;
  /** Steps whose failpoint was not reached in that life. */
  missed: string[];
  /** Errors thrown at failpoints, and how the gateway reacted. */
  errors: string[];
  calls: number;
  failed: string[];
  /** Spool directories that remained after a graceful stop. */
  leftBehind: string[];
  findings: Finding[][];
}

export interface KillOptions {
  installations: number;
  seed: number;
  /** In terms of `performance.now()`. */
  deadlineMs: number;
  /** Called for each kill. */
  tell: (line: string) => void;
}

/** Minimum per installation, however slow its start: a run without a kill proves nothing. */
const LEAST_LIVES = 3;

/** Distributes the steps over concurrent installations; none begins after the deadline. */
export async function runKills(steps: readonly Step[], { installations, seed, deadlineMs, tell }: KillOptions): Promise<KillReport> {
  const report: KillReport = {
    kills: 0,
    atFailpoint: new Map(),
    missed: [],
    errors: [],
    calls: 0,
    failed: [],
    leftBehind: [],
    findings: [],
  };
  const left = [...steps];
  await Promise.all(
    Array.from({ length: installations }, async (_, n) => {
      const random = seededRandom(seed * 31 + n);
      const installation = await openInstallation();
      try {
        // The clients of every second installation are prepaid.
        await prime(installation, random, n % 2 === 0 ? "postpaid" : "both");
        const mayBegin = (lives: number) => lives < LEAST_LIVES || performance.now() < deadlineMs;
        for (let lives = 0; left.length > 0 && mayBegin(lives); lives++) {
          const step = left.shift() as Step;
          // Recovery needs an earlier life that left something behind.
          if (step.failpoint?.name === "during_recovery") count(report, untimely, await live(installation, untimely, random));
          const began = performance.now();
          const death = await live(installation, step, random);
          count(report, step, death);
          tell(
            `${String(report.kills).padStart(4)}  ${nameOf(step)}: died ${death}, ${((performance.now() - began) / 1_000).toFixed(1)} s`,
          );
        }
        await comeToRest(installation, report);
        report.findings.push(await check(installation));
      } finally {
        await installation.remove();
      }
    }),
  );
  return report;
}

const untimely: Step = { failpoint: null, postgres: "up", redis: "up", weather: "calm", livesMs: 300 };

function count(report: KillReport, step: Step, death: Awaited<ReturnType<typeof live>>): void {
  if (step.failpoint?.does === "throw") {
    report.errors.push(`${step.failpoint.name} ${death === "of an error" ? "ended the process" : "was borne"}`);
    return;
  }
  report.kills++;
  if (!step.failpoint) return;
  const { name } = step.failpoint;
  if (death === "at its failpoint") report.atFailpoint.set(name, (report.atFailpoint.get(name) ?? 0) + 1);
  else report.missed.push(nameOf(step));
}

/** The first start, which creates the database and the snapshot of the configuration on disk. */
async function prime(installation: Installation, random: Random, billing: "postpaid" | "both"): Promise<void> {
  const server = await installation.start({ SLUICE_ROLES: "gateway,api,worker" });
  const stopped = new AbortController();
  const { url, log } = installation;
  const driving = drive({ url, key: clientKey, clients: 2, random, log, stopped: stopped.signal });
  await until(() => log.calls >= 5, { what: "the first requests are answered", deadlineMs: 60_000 });
  stopped.abort();
  await driving;
  await giveCredit(installation, billing);
  await server.stop();
}

/** A final start with all services up: the remaining records are settled, and a graceful stop leaves nothing behind. */
async function comeToRest(installation: Installation, report: KillReport): Promise<void> {
  await installation.setPostgres("up");
  await installation.setRedis("up");
  const server = await installation.start();
  await until(async () => (await spoolDepth(installation.url)) === 0, { what: "every end is settled", deadlineMs: 60_000 });
  const code = await server.stop();
  if (code !== 0) report.failed.push(`the last stop ended with ${code}: ${server.output().slice(-500)}`);
  report.calls += installation.log.calls;
  report.failed.push(...installation.log.failed);
  const names = await readdir(installation.spoolDir, { withFileTypes: true });
  report.leftBehind.push(...names.filter((name) => name.isDirectory()).map(({ name }) => name));
  await leasesRunOut(installation.redis.url);
}

/** Waits for the leases of killed gateways, which expire half a minute after their last renewal. */
async function leasesRunOut(redisUrl: string): Promise<void> {
  const redis = new Redis(redisUrl);
  try {
    const held = async () => {
      const [seconds = 0] = await redis.time();
      const counts = await Promise.all((await redis.keys("sluice:leases:*")).map((key) => redis.zcount(key, `(${seconds}000`, "+inf")));
      return counts.reduce((sum, n) => sum + n, 0);
    };
    // The checker decides whether they did.
    await until(async () => (await held()) === 0, { what: "leases have run out", deadlineMs: 35_000, everyMs: 200 }).catch(() => undefined);
  } finally {
    redis.disconnect();
  }
}
