import { connect, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { clientKey } from "@sluice/testing/config-file";
import { until } from "@sluice/testing/deadline";
import { callModel, type ModelCall } from "@sluice/testing/model-client";
import { freePort } from "@sluice/testing/ports";
import { createTestDatabase } from "@sluice/testing/postgres";
import type { ServerProcess } from "@sluice/testing/server-process";
import { describe, expect, it } from "vitest";
import { awaitRest, errorLines, healthOf, openStream, servicesOf } from "./arrange.ts";
import { openConsole, watch } from "./console-client.ts";
import { parsePrometheus } from "./prometheus-text.ts";
import { useServers } from "./servers.ts";

const servers = useServers();
const quick: ModelCall = { dialect: "anthropic", model: "claude-quick", stream: true, key: clientKey };

describe("R08 SIGTERM", () => {
  it("lets an open stream finish while new requests are refused, then the process ends by itself with 0", async () => {
    const server = await servers.startPlain();
    const viewer = watch(await openConsole(server.url));
    await until(() => viewer.frames.length > 0, { what: "the viewer is connected" });
    const stream = await openStream(servers.upstream, server, "claude-slow");
    server.child.kill("SIGTERM");
    await until(async () => (await fetch(`${server.url}/health/ready`)).status === 503, { what: "not ready any more" });
    expect(await healthOf(server)).toMatchObject({ status: "draining" });
    expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
    expect(await callModel(server.url, quick)).toMatchObject({ status: 503 });
    // A second one changes nothing, nor does the first Ctrl+C.
    server.child.kill("SIGTERM");
    server.child.kill("SIGINT");
    const { outcome, id } = await stream.end;
    expect(outcome).toBe("complete");
    expect(await server.exited).toEqual({ code: 0, signal: null });
    viewer.close();
    expect(await rowOf(id)).toMatchObject({ state: "done" });
    expect(server.output()).not.toContain("still open");
    expect(errorLines(server)).toEqual([]);
  });

  it("a second SIGINT, not the echo of the first, ends what is still waited for and bills what passed", async () => {
    const server = await servers.startPlain({ SLUICE_DRAIN_SECONDS: "600" });
    const stream = await openStream(servers.upstream, server, "claude-endless");
    for (let echo = 0; echo < 3; echo++) server.child.kill("SIGINT");
    await until(async () => (await fetch(`${server.url}/health/ready`)).status === 503, { what: "not ready any more" });
    await wait(700);
    expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
    server.child.kill("SIGINT");
    expect(await server.exited).toEqual({ code: 0, signal: null });
    const { outcome, id, text } = await stream.end;
    expect(outcome).toBe("cut");
    expect(text).toContain("The gateway is shutting down");
    expect(await rowOf(id)).toMatchObject({ state: "error", error_code: "draining" });
    expect(errorLines(server)).toEqual([]);
  });

  it("and SIGHUP, of a terminal that was closed, does the same", async () => {
    const server = await servers.startPlain();
    const stream = await openStream(servers.upstream, server, "claude-slow");
    server.child.kill("SIGHUP");
    const { outcome, id } = await stream.end;
    expect(outcome).toBe("complete");
    expect(await server.exited).toEqual({ code: 0, signal: null });
    expect(await rowOf(id)).toMatchObject({ state: "done" });
  });

  it("ends within the grace time whatever clients do, and bills what passed", async () => {
    const server = await servers.startPlain({ SLUICE_DRAIN_SECONDS: "1" });
    const stream = await openStream(servers.upstream, server, "claude-endless");
    const sockets = await hangingClients(server);
    const told = performance.now();
    server.child.kill("SIGTERM");
    expect(await server.exited).toEqual({ code: 0, signal: null });
    // A grace of one second plus two for sockets; a busy machine gets five times that.
    expect(performance.now() - told).toBeLessThan(15_000);
    const { outcome, id, text, outputTokens = 0 } = await stream.end;
    expect(outcome).toBe("cut");
    expect(text).toContain("The gateway is shutting down");
    expect(await rowOf(id)).toMatchObject({ state: "error", error_code: "draining" });
    expect(outputTokens).toBeGreaterThan(0);
    expect(Number((await rowOf(id)).output_tokens)).toBeGreaterThanOrEqual(Math.floor(0.6 * outputTokens));
    expect(server.output()).not.toContain("still open");
    for (const socket of sockets) socket.destroy();
  });

  it("ends an idle server at once, leaving no process behind", async () => {
    const dataDir = servers.newDataDir();
    const server = await servers.start({ dataDir, port: await freePort() });
    expect((await servicesOf(dataDir)).length).toBeGreaterThan(1);
    expect(await server.stop()).toBe(0);
    expect(await servicesOf(dataDir)).toEqual([]);
    expect(server.output()).not.toContain("still open");
    expect(errorLines(server)).toEqual([]);
  });

  it("with Postgres away keeps what is not settled in the spool, says so, and ends", async () => {
    const dataDir = servers.newDataDir();
    const { url, drop } = await createTestDatabase();
    servers.later(drop);
    const env = { ...(await servers.configured(dataDir)), DATABASE_URL: url, REDIS_URL: "none" };
    const options = { dataDir, port: await freePort(), env };
    const server = await servers.start(options);
    const { id } = await callModel(server.url, quick);
    await server.stop();
    const unreachable = { ...env, DATABASE_URL: url.replace(/:\d+\//, ":9/") };
    const blind = await servers.start({ ...options, env: unreachable });
    const unsettled = await callModel(blind.url, quick);
    expect(unsettled.outcome).toBe("complete");
    expect(await blind.stop()).toBe(1);
    expect(blind.output()).toContain("it is in the spool and will be billed at the next start");
    expect(blind.output()).not.toContain("still open");

    const seeing = await servers.start(options);
    const admin = await openConsole(seeing.url);
    await awaitRest(seeing, admin);
    expect((await admin.api.logs.list.query({})).items.map((row) => row.id)).toEqual([unsettled.id, id]);
  });
});

async function rowOf(id: string): Promise<Record<string, unknown>> {
  const { rows } = await servers.database.pool.query("SELECT state, error_code, output_tokens FROM requests WHERE id = $1", [id]);
  return (rows[0] as Record<string, unknown> | undefined) ?? {};
}

/** One that sends nothing, one in the middle of its head, one in the middle of its body. */
async function hangingClients(server: ServerProcess): Promise<Socket[]> {
  const port = Number(new URL(server.url).port);
  const head = `POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: ${clientKey}\r\ncontent-type: application/json\r\ncontent-length: 900\r\n`;
  return Promise.all(
    ["", head, `${head}\r\n{"model":`].map(async (bytes) => {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => undefined);
      await new Promise<void>((resolve) => socket.once("connect", () => (bytes === "" ? resolve() : socket.write(bytes, () => resolve()))));
      return socket;
    }),
  );
}

describe("A23 /health, /version and /metrics", () => {
  it("say how it is, on every port", async () => {
    const consolePort = await freePort();
    const server = await servers.startPlain({ CONSOLE_PORT: String(consolePort), SLUICE_VERSION: "9.8.7" });
    const people = `http://127.0.0.1:${consolePort}`;
    for (const url of [server.url, people]) {
      const health = await fetch(`${url}/health`);
      expect(health.headers.get("content-type")).toContain("application/json");
      expect(await health.json()).toEqual({
        status: "ok",
        version: "9.8.7",
        postgres: "ok",
        redis: "in_process",
        spool: { status: "ok", depth: 0, oldestAgeMs: 0 },
      });
      expect(await (await fetch(`${url}/version`)).json()).toEqual({ version: "9.8.7" });
      for (const path of ["/health/live", "/health/ready"]) expect((await fetch(`${url}${path}`)).status).toBe(200);
    }
    // Without a token, only the port that clients do not reach serves metrics.
    expect((await fetch(`${server.url}/metrics`)).status).toBe(401);
    expect((await fetch(`${people}/metrics`)).status).toBe(200);
    expect((await fetch(`${server.url}/auth/login`, { method: "POST" })).status).toBe(404);
  });

  it("metrics need the token where there is one, and are Prometheus' text", async () => {
    const token = "a-token-of-some-length";
    const server = await servers.startPlain({ SLUICE_METRICS_TOKEN: token });
    for (const authorization of ["", "Bearer wrong-token-0123456789", `Basic ${token}`])
      expect((await fetch(`${server.url}/metrics`, { headers: { authorization } })).status).toBe(401);

    const scrape = async () => {
      const answer = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
      expect(answer.status).toBe(200);
      expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
      return parsePrometheus(await answer.text());
    };
    const figure = (families: Awaited<ReturnType<typeof scrape>>, name: string, labels = {}): number | undefined =>
      families.get(name)?.samples.find((sample) => JSON.stringify(sample.labels) === JSON.stringify(labels))?.value;

    const before = await scrape();
    expect(figure(before, "sluice_build_info", { version: "0.1.0" })).toBe(1);
    expect(figure(before, "process_start_time_seconds")).toBeGreaterThan(1_700_000_000);
    for (let n = 0; n < 3; n++) await callModel(server.url, quick);
    await callModel(server.url, { ...quick, key: "sk-unknown" });
    await until(async () => figure(await scrape(), "sluice_ledger_depth") === 0, { what: "everything is settled" });
    const after = await scrape();
    expect(figure(after, "sluice_gateway_requests")).toBe(4);
    expect(figure(after, "sluice_gateway_in_flight")).toBe(0);
    expect(figure(after, "sluice_gateway_refused_anonymous")).toBe(1);
    expect(figure(after, "sluice_ledger_flushes_total")).toBeGreaterThan(0);
    expect(figure(after, "sluice_ledger_writable")).toBe(1);
    const answers = (families: typeof after, status: string) =>
      figure(families, "http_requests_total", { method: "POST", endpoint: "/v1/messages", status }) ?? 0;
    expect(answers(after, "200")).toBe(3);
    expect(answers(after, "401")).toBe(1);
    expect([...after.values()].every(({ help, type }) => help !== "" && type !== "")).toBe(true);
  });
});
