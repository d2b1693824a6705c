import { readdir } from "node:fs/promises";
import { until } from "@sluice/testing/deadline";
import { Redis } from "ioredis";
import type { Finding } from "./checker/finding.ts";
import { check } from "./checks.ts";
import { giveCredit } from "./credit.ts";
import { clientKey, type Installation, openInstallation, spoolDepth } from "./installation.ts";
import { live } from "./life.ts";
import { nameOf, type Random, type Step, seededRandom } from "./plan.ts";
import { drive } from "./traffic.ts";

/** What the kills of all installations came to. */
export interface KillReport {
  kills: number;
  /** Kills at a failpoint, by its name. */
  atFailpoint: Map<string, number>;
  /** Steps whose failpoint was not passed in that life. */
  missed: string[];
  /** Errors that were thrown at a failpoint and how the gateway took each. */
  errors: string[];
  calls: number;
  failed: string[];
  /** Spool directories that a stop in order left behind. */
  leftBehind: string[];
  findings: Finding[][];
}

export interface KillOptions {
  installations: number;
  seed: number;
  /** By `performance.now()`. */
  deadlineMs: number;
  /** Hears of each kill. */
  tell: (line: string) => void;
}

/** Of each installation, however long it took to get ready: a run without a kill proves nothing. */
const LEAST_LIVES = 3;

/** Spreads the steps over so many installations at once; none begins after the deadline. */
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
        // Every second one's clients pay ahead.
        await prime(installation, random, n % 2 === 0 ? "postpaid" : "both");
        const mayBegin = (lives: number) => lives < LEAST_LIVES || performance.now() < deadlineMs;
        for (let lives = 0; left.length > 0 && mayBegin(lives); lives++) {
          const step = left.shift() as Step;
          // There is something to recover only after a life that left something.
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

/** The first start, which makes the database and the copy of the configuration on disk. */
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

/** A last start with everything there: what the dead left is settled, and a stop in order leaves nothing. */
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

/** Leases of the killed run out by themselves, half a minute after their last breath. */
async function leasesRunOut(redisUrl: string): Promise<void> {
  const redis = new Redis(redisUrl);
  try {
    const held = async () => {
      const [seconds = 0] = await redis.time();
      const counts = await Promise.all((await redis.keys("sluice:leases:*")).map((key) => redis.zcount(key, `(${seconds}000`, "+inf")));
      return counts.reduce((sum, n) => sum + n, 0);
    };
    // Whether they did is the checker's question.
    await until(async () => (await held()) === 0, { what: "leases have run out", deadlineMs: 35_000, everyMs: 200 }).catch(() => undefined);
  } finally {
    redis.disconnect();
  }
}
