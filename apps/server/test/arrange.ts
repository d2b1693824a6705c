import { readdir, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isProcessAlive } from "@sluice/db/process-facts";
import { until } from "@sluice/testing/deadline";
import type { ServerProcess } from "@sluice/testing/server-process";
import type { Upstream } from "@sluice/upstream/server";
import type { ConsoleClient } from "./console-client.ts";
import { callModel, type Seen } from "./model-client.ts";

/** A key that configuration files of these tests give to `caller@example.com`. */
export const clientKey = "sk-test-client-0123456789";

export interface ProviderEntry {
  name: string;
  dialect: "anthropic" | "openai" | "gemini";
  secret: string;
  priority?: number;
  modelRedirects?: Record<string, string>;
}

/** Writes a configuration file (JSON is YAML) and gives what the server's environment needs for it. */
export async function configure(
  dir: string,
  upstream: Upstream,
  config: { providers: ProviderEntry[]; models: string[]; settings?: Record<string, unknown>; keys?: Record<string, unknown>[] },
): Promise<Record<string, string>> {
  const path = join(dir, "sluice.yaml");
  const providers = config.providers.map((provider) => ({
    ...provider,
    baseUrl: provider.dialect === "openai" ? `${upstream.url}/v1` : upstream.url,
  }));
  const keys = config.keys ?? [{ name: "caller", key: clientKey }];
  const users = [{ email: "caller@example.com", name: "Caller", keys }];
  const prices = config.models.map((model) => ({ model, inputPerMTok: "3", outputPerMTok: "15" }));
  await writeFile(path, JSON.stringify({ providers, users, prices, settings: config.settings ?? {} }));
  return { SLUICE_CONFIG: path, SLUICE_ALLOW_PRIVATE_UPSTREAMS: `127.0.0.1:${upstream.port}` };
}

/** One Anthropic provider for any model; the models named are priced, and their scenario stands behind the `@`. */
export function oneProvider(models: Record<string, string>): { providers: ProviderEntry[]; models: string[] } {
  const modelRedirects = Object.fromEntries(Object.entries(models).map(([model, scenario]) => [model, `${model}@${scenario}`]));
  return { providers: [{ name: "only", dialect: "anthropic", secret: "sk-upstream-0001", modelRedirects }], models: Object.keys(models) };
}

/** `GET /health`. */
export async function healthOf(server: ServerProcess): Promise<Record<string, unknown> & { spool: { depth: number } }> {
  const response = await fetch(`${server.url}/health`);
  return (await response.json()) as Record<string, unknown> & { spool: { depth: number } };
}

/** Waits until nothing is in flight on any instance and nothing waits to be settled. */
export async function awaitRest(server: ServerProcess, { api }: ConsoleClient, deadlineMs = 30_000): Promise<void> {
  const atRest = async () => {
    const { items: rows } = await api.logs.list.query({ filter: { state: "in_flight" } });
    return rows.length === 0 && (await healthOf(server)).spool.depth === 0;
  };
  await until(atRest, { what: "nothing is in flight and every end is settled", deadlineMs, everyMs: 50 });
}

/** Lines that say that something went wrong on the server's own side. */
export function errorLines(server: ServerProcess): Record<string, unknown>[] {
  return server.logLines().filter(({ level }) => typeof level === "number" && level >= 50);
}

/** A stream that has begun: resolves with its later end, and with how to leave before. */
export async function openStream(
  upstream: Upstream,
  server: ServerProcess,
  model: string,
): Promise<{ end: Promise<Seen>; leave: () => void }> {
  const calls = () => upstream.oracle().filter((line) => line.model.startsWith(model)).length;
  const before = calls();
  const client = new AbortController();
  const end = callModel(server.url, { dialect: "anthropic", model, stream: true, key: clientKey, signal: client.signal });
  await until(() => calls() > before, { what: "the stream has begun" });
  return { end, leave: () => client.abort() };
}

/** Processes that work inside the data directory: its PostgreSQL and Redis. */
export async function servicesOf(dataDir: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const cwd = await readlink(`/proc/${name}/cwd`).catch(() => "");
    if (cwd.startsWith(`${dataDir}/`) && (await isProcessAlive(Number(name)))) found.push(Number(name));
  }
  return found;
}
