import { setTimeout as sleep } from "node:timers/promises";
import type { ServerProcess } from "@sluice/testing/server-process";
import { clientKey, type Installation, readyOrGone } from "./installation.ts";
import { type Random, type Step, settling } from "./plan.ts";
import { drive } from "./traffic.ts";

/** How a step ended: where it was meant to, or by the kill that ends every life that its failpoint did not. */
export type Death = "at its failpoint" | "at random";

const clients = 6;
/** A failpoint that is not passed until then is not passed at all. */
const patienceMs = 20_000;

/** One life of the gateway: starts it in the step's weather, sends requests, and sees it die by SIGKILL. */
export async function live(installation: Installation, step: Step, random: Random): Promise<Death> {
  const settles = settling.has(step.failpoint?.name ?? "");
  await installation.setPostgres(step.postgres);
  await installation.setRedis(step.redis);
  const server = installation.launch(step.failpoint ? `${step.failpoint.name}:kill@${step.failpoint.pass}` : undefined);
  const stopped = new AbortController();
  void server.exited.then(() => stopped.abort());
  let driving: Promise<void> = Promise.resolve();
  if (await readyOrGone(server)) {
    const { url, log } = installation;
    driving = drive({ url, key: clientKey, clients, random, log, stopped: stopped.signal });
    if (settles && step.postgres === "down") {
      await sleep(500);
      await installation.setPostgres("up");
    }
    if (step.failpoint) await sleep(patienceMs, undefined, { signal: stopped.signal }).catch(() => undefined);
    else await liveThrough(installation, step, random);
  }
  const death = server.child.signalCode === "SIGKILL" ? "at its failpoint" : "at random";
  await server.stop("SIGKILL");
  await driving;
  expectKilled(server, step);
  return death;
}

/** Any moment of a random life, with what its weather brings somewhere in the middle. */
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

/** A gateway that ended by itself is a defect of its own. */
function expectKilled(server: ServerProcess, step: Step): void {
  if (server.child.signalCode === "SIGKILL") return;
  throw new Error(
    `the gateway ended by itself (code ${server.child.exitCode}) at ${JSON.stringify(step)}:\n${server.output().slice(-3_000)}`,
  );
}
