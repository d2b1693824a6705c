import { setTimeout as sleep } from "node:timers/promises";
import { until } from "@sluice/testing/deadline";
import { callModel } from "@sluice/testing/model-client";
import type { Random } from "@sluice/testing/seeded-random";
import type { ServerProcess } from "@sluice/testing/server-process";
import { clientKey, type Installation, laterKey, readyOrGone, scarceKey } from "./installation.ts";
import { type Step, settling } from "./plan.ts";
import { drive } from "./traffic.ts";

/**
 * How a step ended: at its failpoint; of an error thrown there, either fatal or affecting a single request; or by the random kill that
 * ends every other life.
 */
export type Death = "at its failpoint" | "of an error" | "after an error" | "at random";

const clients = 4;
const laterClients = 2;
/** Together they may try to reserve more than there is. */
const scarceClients = 3;
/** A failpoint not reached by then will not be reached. */
const patienceMs = 10_000;

/** One life of the gateway: starts it under the step's conditions, sends requests, and sees it die by SIGKILL. */
export async function live(installation: Installation, step: Step, random: Random): Promise<Death> {
  await installation.setPostgres(step.postgres);
  await installation.setRedis(step.redis);
  const throws = step.failpoint?.does === "throw";
  const server = installation.launch(step.failpoint ? `${step.failpoint.name}:${step.failpoint.does}@${step.failpoint.pass}` : undefined);
  const stopped = new AbortController();
  void server.exited.then(() => stopped.abort());
  let driving: Promise<unknown> = Promise.resolve();
  try {
    if (await readyOrGone(server)) {
      const { url, log } = installation;
      const traffic = { url, random, log, stopped: stopped.signal, mayFail: throws };
      driving = Promise.all([
        drive({ ...traffic, key: clientKey, clients }),
        drive({ ...traffic, key: laterKey, clients: laterClients, paysAhead: false }),
        drive({ ...traffic, key: scarceKey, clients: scarceClients }),
      ]);
      await meetItsEnd(installation, step, { server, stopped, random });
    }
    return await deathOf(server, throws);
  } finally {
    // Even after a failure: the next life needs this port and this spool.
    await server.stop("SIGKILL");
    await driving;
    expectKilled(server, step);
  }
}

/** Waits until the failpoint has struck or is not going to; for a random kill, until it has lived long enough. */
async function meetItsEnd(
  installation: Installation,
  step: Step,
  { server, stopped, random }: { server: ServerProcess; stopped: AbortController; random: Random },
): Promise<void> {
  if (settling.has(step.failpoint?.name ?? "") && step.postgres === "down") {
    await sleep(500);
    await installation.setPostgres("up");
  }
  if (step.failpoint?.does === "throw") await liveOn(server, stopped);
  else if (step.failpoint) await sleep(patienceMs, undefined, { signal: stopped.signal }).catch(() => undefined);
  else await liveThrough(installation, step, random);
}

async function deathOf(server: ServerProcess, throws: boolean): Promise<Death> {
  if (server.child.signalCode === "SIGKILL") return "at its failpoint";
  if (!throws) return "at random";
  return server.child.exitCode === null ? "after an error" : "of an error";
}

/** After an error a gateway must either exit or serve as before. */
async function liveOn(server: ServerProcess, stopped: AbortController): Promise<void> {
  await sleep(2_500, undefined, { signal: stopped.signal }).catch(() => undefined);
  const serves = async () => {
    if (stopped.signal.aborted) return true;
    const call = { dialect: "anthropic", model: "claude-quick", stream: true, key: clientKey } as const;
    return (await callModel(server.url, call)).outcome === "complete";
  };
  for (let n = 0; n < 5; n++) await until(serves, { what: "the gateway serves after an error", deadlineMs: 20_000, everyMs: 100 });
}

/** A random duration, with the step's disturbance somewhere in the middle. */
async function liveThrough(installation: Installation, step: Step, random: Random): Promise<void> {
  const before = Math.floor(step.livesMs * random());
  await sleep(before);
  const { weather } = step;
  if (weather === "postgres crashes") await installation.setPostgres(step.postgres === "up" ? "crashed" : "up");
  if (weather === "redis restarts" && step.redis === "up") await installation.redis.restart();
  if (weather === "redis hangs" && step.redis === "up") {
    installation.redis.pause();
    await sleep(step.livesMs - before);
    installation.redis.resume();
    return;
  }
  await sleep(step.livesMs - before);
}

/** A gateway that exits on its own, other than by a thrown error and its exit code, is a defect. */
function expectKilled(server: ServerProcess, step: Step): void {
  if (server.child.signalCode === "SIGKILL" || (step.failpoint?.does === "throw" && server.child.exitCode !== 0)) return;
  throw new Error(
    `the gateway ended by itself (code ${server.child.exitCode}) at ${JSON.stringify(step)}:\n${server.output().slice(-3_000)}`,
  );
}
