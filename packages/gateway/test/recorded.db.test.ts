import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { type IncomingMessage, request, type ServerResponse } from "node:http";
import { listRequests } from "@sluice/ledger/query";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { baseUrlOf, type Harness, type ProviderSpec, startHarness } from "./harness.ts";
import { type RawProvider, type Received, startRawProvider } from "./raw-provider.ts";

/** Requests of real clients and the answers they got (recorded/README.md), replayed through the gateway. */
interface Recording {
  name: string;
  client: string;
  printed: string;
  bodies: string[];
  exchanges: { method: string; target: string; headers: Header[]; body: number; answer: Answer }[];
}
type Header = [name: string, value: string];
interface Answer {
  status: number;
  headers: Header[];
  body: string;
}

const folder = new URL("recorded/", import.meta.url);
const recordings: Recording[] = readdirSync(folder)
  .filter((file) => file.endsWith(".json"))
  .map((file) => ({ name: file.replace(".json", ""), ...JSON.parse(readFileSync(new URL(file, folder), "utf8")) }));

let harness: Harness;
let provider: RawProvider;

const models = ["claude-opus-5-5", "gpt-6.2-sol", "gemini-3.8-flash", "gemini-3.5-flash-lite", "gemini-3.1-pro-preview"];

beforeAll(async () => {
  provider = await startRawProvider((res) => void res.end());
  const providers = (["anthropic", "openai", "gemini"] as const).map((dialect) => ({
    ...{ dialect, baseUrl: baseUrlOf(dialect, provider.url), secret: "sk-real-provider" },
    models: models.filter((model) => model.startsWith({ anthropic: "claude", openai: "gpt", gemini: "gemini" }[dialect])),
  }));
  // A failure in one recording must not open a breaker for the next.
  harness = await startHarness({ providers, prices: models, settings: { "breaker.failures": 0 } });
});
afterAll(async () => {
  await harness.close();
  await provider.close();
});

/** Sends it as the client did, with its own headers in its own order; only the key is one of ours. */
async function replay(
  { method, target, headers, body, answer }: Recording["exchanges"][number],
  { bodies }: Recording,
  key = harness.key.secret,
) {
  provider.answer = (res: ServerResponse) => void res.writeHead(answer.status, answer.headers.flat()).end(answer.body);
  const sent = headers.flatMap(([name, value]) => [name, value.replace("sk-recorded", key)]);
  const text = bodies[body] ?? "";
  const outgoing = request(`${harness.url}${target}`, {
    method,
    headers: ["host", new URL(harness.url).host, ...sent, ...(text ? ["content-length", String(Buffer.byteLength(text))] : [])],
  }).end(text);
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  const parts: Buffer[] = [];
  for await (const part of response as AsyncIterable<Buffer>) parts.push(part);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(parts).toString("utf8") };
}

/**
 * Headers that concern only the client and us: credentials, accepted encodings, what a browser adds. The provider gets different ones, or
 * none.
 */
const keptBack = ["authorization", "x-goog-api-key", "accept-encoding", "sec-fetch-mode"];

function expectUntouched(received: Received | undefined, exchange: Recording["exchanges"][number], recording: Recording): void {
  expect(received).toMatchObject({ method: exchange.method, url: exchange.target, body: recording.bodies[exchange.body] });
  expect(received?.headers).toMatchObject(Object.fromEntries(exchange.headers.filter(([name]) => !keptBack.includes(name))));
  expect(JSON.stringify(received?.headers)).not.toContain(harness.key.secret);
}

/** The last number of that name in an answer, which is its final usage. */
function lastNumber(body: string, names: string): number {
  return Number([...body.matchAll(new RegExp(`"(?:${names})":(\\d+)`, "g"))].at(-1)?.[1] ?? 0);
}

async function sessionsOf(recording: Recording): Promise<string[]> {
  const sessions: string[] = [];
  for (const exchange of recording.exchanges.filter(({ target }) => target.startsWith("/v1"))) {
    const { headers } = await replay(exchange, recording);
    sessions.push((await harness.settled(String(headers["x-request-id"]))).row.sessionId);
  }
  return sessions;
}

describe.each(recordings)("$name, as recorded", (recording) => {
  it("passes byte for byte, and its rows record what it was and what it cost", async () => {
    for (const exchange of recording.exchanges) {
      const calls = provider.received.length;
      const answer = await replay(exchange, recording);
      if (!exchange.target.startsWith("/v1")) {
        // Claude Code warms up its connection with HEAD /api/hello. Nothing depends on the answer, and no provider is asked.
        expect(answer.status).toBe(404);
        expect(provider.received.length).toBe(calls);
        continue;
      }
      expectUntouched(provider.received.at(-1), exchange, recording);
      expect(provider.received.length).toBe(calls + 1);
      expect({ status: answer.status, body: answer.body }).toEqual({ status: exchange.answer.status, body: exchange.answer.body });
      const passed = exchange.answer.headers.filter(([name]) => name === "content-type" || name === "retry-after");
      expect(answer.headers).toMatchObject(Object.fromEntries(passed));

      const { row } = await harness.settled(String(answer.headers["x-request-id"]));
      const [name = "", version = ""] = recording.client.split(" ");
      expect(row.client).toBe(`${name} ${version.split(".").slice(0, 2).join(".")}`);
      expect(models).toContain(row.model);
      expect(`${exchange.target} ${recording.bodies[exchange.body]?.slice(0, 100)}`).toContain(row.model);
      const input = lastNumber(exchange.answer.body, "input_tokens|promptTokenCount");
      const output = lastNumber(exchange.answer.body, "output_tokens|candidatesTokenCount");
      expect(row).toMatchObject({ state: answer.status === 200 ? "done" : "error", attempts: 1, usage: { input, output } });
      expect(row.costNanoUsd).toBe(String(input * 1_000 + output * 2_000));
    }
  });
});

describe.each(["claude-code", "codex", "gemini-cli"])("%s", (client) => {
  const of = (turn: string) => recordings.find(({ name }) => name === `${client}-${turn}`) as Recording;

  it("is one session through all requests of a conversation, its side requests too, and another in the next", async () => {
    const [first, ...others] = await sessionsOf(of("tool"));
    expect(first).not.toBe("");
    expect(others.length).toBeGreaterThan(0);
    expect(new Set([first, ...others]).size).toBe(1);
    const next = of("plain");
    const anotherQuestion = { ...next, bodies: next.bodies.map((body) => body.replaceAll("What colour is", "How tall is")) };
    expect(await sessionsOf(anotherQuestion)).not.toContain(first);
  });
});

describe("the request id that a client shows finds its row", () => {
  const rowsOf = async (requestId: unknown) =>
    (await listRequests(harness.database.pool, { filter: { requestId: String(requestId) }, limit: 10, scope: {} })).rows;

  it.each([
    // Claude Code keeps it in its transcript and in stream-json; Codex ends its message with it.
    ["claude-code-failed", "request-id", 529],
    ["codex-failed", "x-request-id", 429],
  ])("%s", async (name, header, status) => {
    const recording = recordings.find((one) => one.name === name) as Recording;
    const exchange = recording.exchanges.at(-1) as Recording["exchanges"][number];
    const shown = exchange.answer.headers.find(([one]) => one === header)?.[1] ?? "";
    expect(recording.printed).toContain(shown);
    const { headers } = await replay(exchange, recording);
    expect(headers[header]).not.toBe(shown);
    await harness.settled(String(headers[header]));
    expect(await rowsOf(headers[header])).toMatchObject([{ id: headers[header], state: "error", status }]);
  });

  it("gemini-cli-failed: it prints the body, and Google's error has a place for it", async () => {
    const recording = recordings.find((one) => one.name === "gemini-cli-failed") as Recording;
    const exchange = recording.exchanges.at(-1) as Recording["exchanges"][number];
    expect(recording.printed).toContain(exchange.answer.body);
    const unpriced = { ...exchange, target: exchange.target.replace("gemini-3.1-pro-preview", "gemini-unknown") };
    const { headers, body } = await replay(unpriced, recording);
    const shown = JSON.parse(body).error.details[0].metadata.request_id;
    expect(shown).toBe(headers["x-request-id"]);
    await harness.settled(shown);
    expect(await rowsOf(shown)).toMatchObject([{ id: shown, state: "refused", client: "gemini-cli 0.61" }]);
  });
});

describe("by conversion, an agent's tool is called in its own words, and its result gets an answer", () => {
  const chat: ProviderSpec = { dialect: "openai", serves: ["chat"] };
  const responses: ProviderSpec = { dialect: "openai", serves: ["responses"] };
  it.each<[name: string, to: string, spec: ProviderSpec, script: string, called: RegExp, ended: RegExp]>([
    ["claude-code-tool", "chat", chat, "use,Read,file_path=notes.txt", /"name":"Read"/, /"stop_reason":"end_turn"/],
    ["claude-code-tool", "responses", responses, "use,Read,file_path=notes.txt", /"name":"Read"/, /"stop_reason":"end_turn"/],
    ["codex-tool", "anthropic", { dialect: "anthropic" }, "use,exec,input=a", /"type":"custom_tool_call"/, /"status":"completed"/],
    ["codex-tool", "chat", chat, "use,exec,input=a", /"type":"custom_tool_call"/, /"status":"completed"/],
  ])("%s to %s", async (name, _to, spec, script, called, ended) => {
    const recording = recordings.find((one) => one.name === name) as Recording;
    const { key } = await harness.group([{ ...spec, secret: `sk@${script}` }]);
    const [first, second] = recording.exchanges.filter(({ target }) => target.startsWith("/v1"));
    const call = await replay(first as Recording["exchanges"][number], recording, key);
    expect(call).toMatchObject({ status: 200, body: expect.stringMatching(called) });
    const answer = await replay(second as Recording["exchanges"][number], recording, key);
    expect(answer).toMatchObject({ status: 200, body: expect.stringMatching(ended) });
  });
});
