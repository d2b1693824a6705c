import { clientKey } from "@sluice/testing/config-file";
import { until } from "@sluice/testing/deadline";
import type { ServerProcess } from "@sluice/testing/server-process";
import { describe, expect, it } from "vitest";
import { parsePrometheus } from "./prometheus-text.ts";
import { useServers } from "./servers.ts";
import { type SpanSink, type SunkSpan, startSpanSink } from "./span-sink.ts";

const servers = useServers();
const token = "a-token-of-some-length";
const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const clientSpan = "00f067aa0ba902b7";

async function sink(): Promise<SpanSink> {
  const started = await startSpanSink();
  servers.later(() => started.stop());
  return started;
}

/** Makes one request and returns its id. */
async function ask(server: ServerProcess, headers: Record<string, string>): Promise<string> {
  const answer = await fetch(`${server.url}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": clientKey, ...headers },
    body: JSON.stringify({ model: "claude-quick", max_tokens: 100, stream: true, messages: [{ role: "user", content: "Hello" }] }),
  });
  await answer.text();
  expect(answer.status).toBe(200);
  return answer.headers.get("x-request-id") ?? answer.headers.get("request-id") ?? "";
}

function seenUpstream(id: string): string {
  return servers.upstream.oracle().find((line) => line.line === "opened" && line.id === id)?.traceparent ?? "";
}

function byKind(spans: readonly SunkSpan[], kind: number): SunkSpan {
  const found = spans.filter((span) => span.kind === kind);
  if (found.length !== 1 || !found[0]) throw new Error(`${found.length} spans of kind ${kind}`);
  return found[0];
}

describe("R35 structured logs", () => {
  it("every line is one JSON object, and the request id joins line, trace and row", async () => {
    const { url, spans } = await sink();
    const server = await servers.startPlain({ OTEL_EXPORTER_OTLP_ENDPOINT: url });
    const id = await ask(server, {});
    await until(() => spans.some(({ attributes }) => attributes["sluice.request_id"] === id), { what: "its span" });
    const line = await until(() => server.logLines().find((each) => each.requestId === id && each.msg === "request"), { what: "its line" });
    expect(line).toMatchObject({ model: "claude-quick", status: 200 });
    const { pool } = servers.database;
    const row = async () => (await pool.query("SELECT status FROM requests WHERE id = $1", [id])).rows[0];
    expect(await until(row, { what: "its row" })).toEqual({ status: 200 });

    await server.stop();
    // Messages for people go to stderr.
    const lines = server
      .output()
      .split("\n")
      .filter((each) => each !== "" && !each.startsWith("Sluice is ready"));
    expect(lines.length).toBeGreaterThan(1);
    for (const each of lines)
      expect(JSON.parse(each)).toMatchObject({ level: expect.any(Number), time: expect.any(String), msg: expect.any(String) });
  });
});

describe("R37 traces", () => {
  it("gateway, attempt and upstream are spans of the client's trace, and the upstream sees ours as its parent", async () => {
    const { url, spans, resource } = await sink();
    const server = await servers.startPlain({ OTEL_EXPORTER_OTLP_ENDPOINT: url });
    const id = await ask(server, { traceparent: `00-${traceId}-${clientSpan}-01`, tracestate: "vendor=1" });
    await until(() => spans.length >= 3, { what: "three spans came" });

    expect(spans.map((span) => span.traceId)).toEqual([traceId, traceId, traceId]);
    const [gateway, attempt, upstream] = [byKind(spans, 2), byKind(spans, 1), byKind(spans, 3)];
    expect([gateway.parentSpanId, attempt.parentSpanId, upstream.parentSpanId]).toEqual([clientSpan, gateway.spanId, attempt.spanId]);
    expect([gateway.name, attempt.name, upstream.name]).toEqual(["POST /v1/messages", "attempt", "chat claude-quick@plain,6"]);
    expect(seenUpstream(id)).toBe(`00-${traceId}-${upstream.spanId}-01`);
    expect(upstream.attributes).toMatchObject({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "anthropic",
      "gen_ai.request.model": "claude-quick@plain,6",
      "gen_ai.usage.output_tokens": 6,
      "gen_ai.response.finish_reasons": ["end_turn"],
      "http.response.status_code": 200,
    });
    expect(Number(upstream.attributes["gen_ai.usage.input_tokens"])).toBeGreaterThan(0);
    expect(upstream.attributes["gen_ai.response.model"]).toBeTruthy();
    expect(resource()).toMatchObject({ "service.name": "sluice" });
    for (const span of spans) expect(BigInt(span.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(span.startTimeUnixNano));

    expect(gateway.attributes).toMatchObject({ "http.response.status_code": 200, "http.route": "/v1/messages" });
  });

  it("a failure is an error with its code; a refusal is a span without an attempt", async () => {
    const { url, spans } = await sink();
    const server = await servers.startPlain({ OTEL_EXPORTER_OTLP_ENDPOINT: url });
    servers.upstream.control("*", "error-before,500");
    servers.later(() => servers.upstream.control("*", null));
    const body = JSON.stringify({ model: "claude-quick", max_tokens: 9, messages: [{ role: "user", content: "Hello" }] });
    const send = (key: string) =>
      fetch(`${server.url}/v1/messages`, { method: "POST", headers: { "content-type": "application/json", "x-api-key": key }, body });
    expect((await send(clientKey)).status).toBeGreaterThanOrEqual(500);
    await until(() => spans.some(({ kind }) => kind === 2), { what: "its span" });
    expect(byKind(spans, 3)).toMatchObject({ status: { code: 2 }, attributes: { "http.response.status_code": 500 } });
    expect(byKind(spans, 3).attributes["error.type"]).toMatch(/^upstream_/);
    expect(byKind(spans, 2).status.code).toBe(2);

    spans.length = 0;
    expect((await send("sk-of-nobody")).status).toBe(401);
    await until(() => spans.length > 0, { what: "the refusal's span" });
    expect(spans).toHaveLength(1);
    expect(spans[0]).toMatchObject({ kind: 2, attributes: { "http.response.status_code": 401 } });
    expect(spans[0]?.status.code ?? 0).toBe(0);
  });

  it("a trace that the client does not sample goes on unsampled; without a collector the client's own header is passed on", async () => {
    const { url, spans } = await sink();
    const traced = await servers.startPlain({ OTEL_EXPORTER_OTLP_ENDPOINT: url });
    const id = await ask(traced, { traceparent: `00-${traceId}-${clientSpan}-00` });
    expect(seenUpstream(id)).toMatch(new RegExp(`^00-${traceId}-(?!${clientSpan})[0-9a-f]{16}-00$`));
    await traced.stop();
    expect(spans).toEqual([]);

    const untraced = await servers.startPlain();
    const given = `00-${traceId}-${clientSpan}-01`;
    expect(seenUpstream(await ask(untraced, { traceparent: given }))).toBe(given);
  });

  it("a collector that is away costs spans, which are counted, and no request", async () => {
    const gone = await startSpanSink();
    await gone.stop();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: gone.url, OTEL_EXPORTER_OTLP_TIMEOUT: "300", SLUICE_METRICS_TOKEN: token };
    const server = await servers.startPlain(env);
    await ask(server, {});
    const dropped = async () => {
      const answer = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
      const family = parsePrometheus(await answer.text()).get("sluice_spans_dropped");
      return (family?.samples[0]?.value ?? 0) >= 3;
    };
    await until(dropped, { what: "the spans are given up", deadlineMs: 20_000 });
    expect(server.logLines().filter(({ msg }) => msg === "spans could not be exported")).toHaveLength(1);
  });
});
