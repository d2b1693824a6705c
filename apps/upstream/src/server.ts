import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { makePlan } from "./answers/plan.ts";
import { type Call, readBody, readCall, secretOf, speakerOf } from "./call.ts";
import { complaintOf } from "./complaint.ts";
import { type Delivered, deliverNonsense, deliverStream, deliverWhole } from "./delivery.ts";
import { type Oracle, type OracleLine, openOracle } from "./oracle.ts";
import { parseScenario, plain, type Scenario, scenarioOf, turnOf } from "./scenario.ts";
import { toolTurn } from "./tool-turn.ts";

/**
 * A scripted provider: speaks Anthropic, OpenAI and Gemini as their official clients expect, misbehaves when told to, and keeps an
 * oracle: an append-only record of what it actually sent. It knows nothing about the gateway, so that its record is independent evidence
 * for what the gateway claims to have passed on and billed.
 */
export interface UpstreamOptions {
  /** 0 (default) = any free port. */
  port?: number;
  host?: string;
  /** Append-only JSON Lines; absent = memory only. */
  oraclePath?: string;
}

export interface Upstream {
  /** `http://host:port`, without a trailing slash. */
  url: string;
  port: number;
  oracle(): OracleLine[];
  /** From now on requests with this secret or model (`*`: all) follow the script; null restores their own. */
  control(target: string, scenario: string | null): void;
  stop(): Promise<void>;
}

interface State {
  oracle: Oracle;
  controls: Map<string, Partial<Scenario>>;
  /** Number of requests by secret and model, for scripts that strike each n-th time. */
  counts: Map<string, number>;
  seq: number;
}

const listedModels = ["fake-plain", "fake-large", "fake-embedding"];

function header(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return typeof value === "string" ? value : "";
}

/** A control comes first (by model, then secret, then `*`); otherwise secret, model name and header are merged, later ones overriding. */
function scenarioFor(state: State, request: IncomingMessage, secret: string, model: string): Scenario {
  const controlled = state.controls.get(model) ?? state.controls.get(secret) ?? state.controls.get("*");
  if (controlled) return { ...plain, ...controlled };
  const asked = header(request, "x-upstream-scenario");
  return { ...plain, ...scenarioOf(secret), ...scenarioOf(model), ...(asked ? parseScenario(asked) : null) };
}

function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text), ...headers }).end(text);
}

/** Seconds unchanged; `date:90` as the HTTP date in 90 s. */
function retryAfterOf(text: string): string {
  const ahead = /^date:(\d+)$/.exec(text)?.[1];
  return ahead === undefined ? text : new Date(Date.now() + Number(ahead) * 1000).toUTCString();
}

/** Pauses, but ends early when the client leaves. */
async function pause(response: ServerResponse, ms: number): Promise<void> {
  const left = new AbortController();
  response.once("close", () => left.abort());
  await sleep(ms, undefined, { signal: left.signal }).catch(() => undefined);
}

/** Carries out a fault that replaces the answer; returns whether there was one. */
async function refuse(
  state: State,
  response: ServerResponse,
  call: Call,
  scenario: Scenario,
  key: string,
  delivered: Delivered,
): Promise<boolean> {
  const { fault } = scenario;
  if (fault?.kind === "status") {
    const count = (state.counts.get(key) ?? 0) + 1;
    state.counts.set(key, count);
    if (count % fault.every !== 0 || (fault.first > 0 && count > fault.first)) return false;
    delivered.status = fault.status;
    delivered.endedBy = "scripted";
    sendJson(
      response,
      fault.status,
      call.speaker.errorBody(fault.status, fault.message ?? `Scripted: ${fault.status}`),
      fault.retryAfter ? { "retry-after": retryAfterOf(fault.retryAfter) } : {},
    );
    return true;
  }
  if (fault?.kind === "redirect") {
    delivered.status = 302;
    delivered.endedBy = "scripted";
    response.writeHead(302, { location: fault.to }).end();
    return true;
  }
  if (fault?.kind === "nonsense") {
    delivered.status = 200;
    delivered.endedBy = "scripted";
    await deliverNonsense(response, fault.what, call.stream);
    return true;
  }
  if (fault?.kind === "stall" && fault.after < 0) {
    await new Promise<void>((resolve) => response.once("close", resolve));
    return true;
  }
  return false;
}

/** A deterministic embedding: eight numbers between -1 and 1. */
function embeddingsOf(call: Call): Record<string, unknown> {
  const inputs = Array.isArray(call.body.input) ? call.body.input : [call.body.input];
  const vector = Array.from({ length: 8 }, (_, i) => ((call.bodyBytes * (i + 3)) % 200) / 100 - 1);
  // The official client requests base64 by default.
  const embedding = call.body.encoding_format === "base64" ? Buffer.from(new Float32Array(vector).buffer).toString("base64") : vector;
  const tokens = Math.ceil(call.bodyBytes / 4);
  return {
    object: "list",
    data: inputs.map((_, index) => ({ object: "embedding", index, embedding })),
    model: call.model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

async function answer(response: ServerResponse, call: Call, scenario: Scenario, seq: number, delivered: Delivered): Promise<void> {
  const complaint = complaintOf(call);
  if (complaint !== null) {
    Object.assign(delivered, { status: 400, endedBy: "scripted" });
    return sendJson(response, 400, call.speaker.errorBody(400, complaint));
  }
  const tokens = Math.ceil(call.bodyBytes / 4);
  if (call.endpoint === "countTokens") {
    return deliverWhole(response, call.dialect === "gemini" ? { totalTokens: tokens } : { input_tokens: tokens }, {
      plan: null,
      scenario,
      delivered,
    });
  }
  if (call.endpoint === "embeddings") {
    await deliverWhole(response, embeddingsOf(call), { plan: null, scenario, delivered });
    if (delivered.endedBy === "done") delivered.usage = { input: tokens, output: 0, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0 };
    return;
  }
  const plan = makePlan({ ...call, id: String(seq).padStart(8, "0"), createdS: Math.floor(Date.now() / 1000) }, scenario);
  if (call.dialect !== "anthropic") {
    // OpenAI has one kind of cache write, Gemini none.
    const { cacheWrite5m, cacheWrite1h } = plan.counts;
    plan.counts = { ...plan.counts, cacheWrite5m: call.dialect === "openai" ? cacheWrite5m + cacheWrite1h : 0, cacheWrite1h: 0 };
  }
  const { fault } = scenario;
  if (call.stream) return deliverStream(response, call.speaker, plan, scenario, delivered);
  if (fault?.kind === "event") {
    delivered.status = 500;
    delivered.endedBy = "scripted";
    return sendJson(response, 500, call.speaker.errorBody(500, "Scripted: internal"));
  }
  return deliverWhole(response, call.speaker.whole(plan), { plan, scenario, delivered });
}

function modelList(isGemini: boolean, isAnthropic: boolean): unknown {
  if (isGemini) return { models: listedModels.map((id) => ({ name: `models/${id}` })) };
  if (isAnthropic) {
    const data = listedModels.map((id) => ({ type: "model", id, display_name: id, created_at: "2026-01-01T00:00:00Z" }));
    return { data, has_more: false, first_id: listedModels[0], last_id: listedModels.at(-1) };
  }
  return { object: "list", data: listedModels.map((id) => ({ id, object: "model", created: 1767225600, owned_by: "fake" })) };
}

async function control(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const order = JSON.parse((await readBody(request)).toString("utf8")) as Record<string, unknown>;
  const target = String(order.target ?? order.secret ?? order.model ?? order.name ?? "*");
  const applied = setControl(state, target, typeof order.scenario === "string" ? order.scenario : null);
  sendJson(response, applied ? 200 : 400, { target, applied });
}

function setControl(state: State, target: string, scenario: string | null): boolean {
  if (scenario === null) return state.controls.delete(target) || true;
  const parsed = parseScenario(scenario);
  if (parsed) state.controls.set(target, parsed);
  return parsed !== null;
}

async function handle(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://upstream");
  if (url.pathname === "/__oracle") return sendJson(response, 200, state.oracle.lines());
  if (url.pathname === "/__control" && request.method === "POST") return control(state, request, response);
  const secret = secretOf(request, url);
  const speaker = speakerOf(url.pathname);
  if (secret === "") return sendJson(response, 401, speaker.errorBody(401, "No API key was sent."));
  if (request.method === "GET" && /^\/v1(beta)?\/models$/.test(url.pathname)) {
    // A connection test names no model, so only the secret's script can make it fail.
    const fault = scenarioFor(state, request, secret, "").fault;
    if (fault?.kind === "status") return sendJson(response, fault.status, speaker.errorBody(fault.status, `Scripted: ${fault.status}`));
    return sendJson(
      response,
      200,
      modelList(
        url.pathname === "/v1beta/models" || request.headers["x-goog-api-key"] !== undefined,
        request.headers["anthropic-version"] !== undefined,
      ),
    );
  }
  const raw = await readBody(request);
  const call = request.method === "POST" ? readCall(url, raw) : null;
  if (!call) return sendJson(response, 404, speaker.errorBody(404, "There is nothing here."));
  if (call.model === "") return sendJson(response, 400, speaker.errorBody(400, "model: field required"));
  await serve(state, request, response, { url, call, secret });
}

async function serve(
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
  { url, call, secret }: { url: URL; call: Call; secret: string },
): Promise<void> {
  const seq = ++state.seq;
  const opened = {
    id: header(request, "x-request-id"),
    seq,
    dialect: call.dialect,
    endpoint: call.endpoint,
    method: request.method ?? "",
    path: url.pathname,
    model: call.model,
    stream: call.stream,
    secretTail: secret.slice(-4),
    headerNames: Object.keys(request.headers).sort(),
    traceparent: header(request, "traceparent"),
    bodyBytes: call.bodyBytes,
    openedAtMs: Date.now(),
  };
  state.oracle.write({ line: "opened", ...opened });
  // Clients print this id; a gateway replaces it by its own.
  response.setHeader(call.dialect === "anthropic" ? "request-id" : "x-request-id", `req_upstream_${seq}`);
  const scenario = toolTurn(call, turnOf(scenarioFor(state, request, secret, call.model), seq));
  const delivered: Delivered = { status: 0, usage: null, inputOnWire: false, contentBytes: 0, endedBy: "client_closed" };
  try {
    if (scenario.headMs > 0) await pause(response, scenario.headMs);
    if (response.destroyed) return;
    if (!(await refuse(state, response, call, scenario, `${secret} ${call.model}`, delivered)))
      await answer(response, call, scenario, seq, delivered);
  } finally {
    const { status, usage, inputOnWire, contentBytes, endedBy } = delivered;
    const sent = {
      status,
      usage,
      inputOnWire,
      oddUsage: scenario.oddUsage,
      outputTokensSent: Math.ceil(contentBytes / 4),
      contentBytesSent: contentBytes,
      endedBy,
    };
    state.oracle.write({ line: "closed", ...opened, ...sent, closedAtMs: Date.now() });
  }
}

function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}

/** Starts a provider, which listens when the promise resolves. */
export async function startUpstream(options: UpstreamOptions = {}): Promise<Upstream> {
  const state: State = { oracle: openOracle(options.oraclePath), controls: new Map(), counts: new Map(), seq: 0 };
  const host = options.host ?? "127.0.0.1";
  const running = new Set<Promise<void>>();
  const server = createServer({ noDelay: true, keepAliveTimeout: 60_000, requestTimeout: 0 }, (request, response) => {
    const done = handle(state, request, response)
      .catch((error: unknown) => {
        if (response.headersSent || response.destroyed) response.destroy();
        else sendJson(response, 500, { error: { message: String(error) } });
      })
      .finally(() => running.delete(done));
    running.add(done);
  });
  const { port } = await listen(server, options.port ?? 0, host);
  return {
    url: `http://${host}:${port}`,
    port,
    oracle: () => state.oracle.lines(),
    control(target, scenario) {
      if (!setControl(state, target, scenario)) throw new RangeError(`unknown scenario: ${scenario}`);
    },
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      // Streams notice their closed sockets and then write their last oracle line.
      await Promise.all(running);
      state.oracle.close();
    },
  };
}
