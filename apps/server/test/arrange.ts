import { readdir, readlink } from "node:fs/promises";
import { isProcessAlive } from "@sluice/db/process-facts";
import { clientKey } from "@sluice/testing/config-file";
import { until } from "@sluice/testing/deadline";
import { callModel, type Seen } from "@sluice/testing/model-client";
import type { ServerProcess } from "@sluice/testing/server-process";
import type { Upstream } from "@sluice/upstream/server";
import type { ConsoleClient } from "./console-client.ts";

/** `GET /health`. */
export async function healthOf(server: ServerProcess): Promise<Record<string, unknown> & { spool: { depth: number } }> {
  const response = await fetch(`${server.url}/health`);
  return (await response.json()) as Record<string, unknown> & { spool: { depth: number } };
}

/** Waits until no request is in flight on any instance and everything is settled. */
export async function awaitRest(server: ServerProcess, { api }: ConsoleClient, deadlineMs = 30_000): Promise<void> {
  const atRest = async () => {
    const { items: rows } = await api.logs.list.query({ filter: { state: "in_flight" } });
    return rows.length === 0 && (await healthOf(server)).spool.depth === 0;
  };
  await until(atRest, { what: "nothing is in flight and every end is settled", deadlineMs, everyMs: 50 });
}

/** Log lines about errors on the server's side. */
export function errorLines(server: ServerProcess): Record<string, unknown>[] {
  return server.logLines().filter(({ level }) => typeof level === "number" && level >= 50);
}

/** A stream that has begun: resolves with a promise of its end, and a way to disconnect earlier. */
export async function openStream(
  upstream: Upstream,
  server: ServerProcess,
  model: string,
  key: string = clientKey,
): Promise<{ end: Promise<Seen>; leave: () => void }> {
  const calls = () => upstream.oracle().filter((line) => line.model.startsWith(model)).length;
  const before = calls();
  const client = new AbortController();
  const end = callModel(server.url, { dialect: "anthropic", model, stream: true, key, signal: client.signal });
  await until(() => calls() > before, { what: "the stream has begun" });
  return { end, leave: () => client.abort() };
}

/** Processes that run inside the data directory: its PostgreSQL and Redis. */
export async function servicesOf(dataDir: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const cwd = await readlink(`/proc/${name}/cwd`).catch(() => "");
    if (cwd.startsWith(`${dataDir}/`) && (await isProcessAlive(Number(name)))) found.push(Number(name));
  }
  return found;
}
