import { setTimeout as sleep } from "node:timers/promises";
import { statementsDuring } from "@sluice/testing/statements";
import type { Subject } from "../gateway/processes.ts";
import type { Stage } from "./stage.ts";

const consoles = 20;

/** What each page reads before it only listens. */
const lists = ["logins.current", "names.list", "logs.list", "sessions.list", "providers.bootstrap", "overview.get"];

/** Statements that idle consoles cause: the number in `ms` with them, minus that without. */
export async function idleStatements(stage: Stage, api: Subject, ms: number): Promise<number> {
  const without = await during(stage, ms);
  const child = await stage.startViewers();
  const url = `http://127.0.0.1:${api.port}`;
  for (let i = 0; i < consoles; i++) for (const path of lists) await read(`${url}/trpc/${path}`, stage.cookies[0] ?? "");
  await child.ask("open", { url, cookies: stage.cookies, count: consoles });
  const watched = await during(stage, ms);
  await child.stop();
  return Math.max(0, watched - without);
}

async function during(stage: Stage, ms: number): Promise<number> {
  // Lets the settler and the start finish their work.
  await sleep(3_000);
  const statements = await statementsDuring(stage.database.pool, () => sleep(ms));
  // Excludes the worker's own statement every five minutes.
  return statements.filter((text) => !text.includes("session_samples")).length;
}

async function read(url: string, cookie: string): Promise<void> {
  const { status } = await fetch(url, { headers: { cookie } });
  if (status !== 200) throw new Error(`${url} answered ${status}`);
}
