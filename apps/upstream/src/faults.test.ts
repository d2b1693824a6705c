import { request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ClosedLine } from "./oracle.ts";
import { parseScenario } from "./scenario.ts";
import { startUpstream, type Upstream } from "./server.ts";
import { startTraffic } from "./traffic.ts";

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.stop());

interface Raw {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
  /** How the body ended: properly, or with an error. */
  ended: "end" | "error";
}

function post(
  path: string,
  body: object,
  options: { secret?: string; headers?: Record<string, string>; leaveAfter?: number } = {},
): Promise<Raw> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${options.secret ?? "sk-up-ok"}`, ...options.headers };
    const raw: Raw = { status: 0, headers: {}, body: "", ended: "error" };
    const sent = request(`${upstream.url}${path}`, { method: "POST", headers, agent: false }, (response) => {
      Object.assign(raw, { status: response.statusCode ?? 0, headers: response.headers });
      response.on("data", (chunk: Buffer) => {
        raw.body += chunk.toString("latin1");
        if (options.leaveAfter !== undefined && raw.body.length >= options.leaveAfter) sent.destroy();
      });
      response.on("end", () => resolve({ ...raw, ended: "end" }));
      response.on("error", () => resolve(raw));
    });
    sent.on("error", () => resolve(raw));
    sent.end(JSON.stringify(body));
  });
}

const chat = (model: string, stream = true) => ({ model, stream, messages: [] });

async function closedLine(model: string): Promise<ClosedLine> {
  const find = () => upstream.oracle().findLast((line): line is ClosedLine => line.line === "closed" && line.model === model);
  await expect.poll(find).toBeDefined();
  return find() as ClosedLine;
}

test.each([
  ["cut,2", "error"],
  ["cut,2,how=length", "error"],
  // A truncated close-delimited body looks complete: only the missing terminal event reveals it.
  ["cut,2,how=fin", "end"],
] as const)("%s ends a stream early", async (script, ended) => {
  const answer = await post("/v1/chat/completions", chat(`m@${script}`));
  expect(answer).toMatchObject({ status: 200, ended });
  expect(answer.body).not.toContain("[DONE]");
  expect(await closedLine(`m@${script}`)).toMatchObject({ endedBy: "scripted", outputTokensSent: 2, usage: null });
});

test.each(["cut,how=length", "cut", "cut,how=fin"])("%s ends a whole answer early", async (script) => {
  const answer = await post("/v1/messages", chat(`w@${script}`, false));
  expect(() => JSON.parse(answer.body)).toThrow();
  expect(await closedLine(`w@${script}`)).toMatchObject({ endedBy: "scripted", usage: null });
});

test.each(["stall,3", "stall,0", "slow,20+long,1000"])("a client that leaves during %s is written down", async (script) => {
  await post("/v1/messages", chat(`s@${script}`), { leaveAfter: 100 });
  const line = await closedLine(`s@${script}`);
  expect(line).toMatchObject({ endedBy: "client_closed", usage: null, inputOnWire: true });
  expect(line.outputTokensSent).toBeLessThan(1000);
});

test("statuses, redirects, retry-after, chatter that a gateway must strip", async () => {
  expect(await post("/v1/responses", chat("x@rate-limited,9"))).toMatchObject({ status: 429, headers: { "retry-after": "9" } });
  expect(await post("/v1/responses", chat("x@redirect"))).toMatchObject({ status: 302, headers: { location: "/__redirected" } });
  expect(await post("/v1/responses", chat("x"))).toMatchObject({ status: 200, headers: { "set-cookie": expect.any(Array) } });
  expect(await post("/v1/responses", chat("x@br"))).toMatchObject({ headers: { "content-encoding": "br" } });
  expect(await post("/v1/nothing", chat("x"))).toMatchObject({ status: 404 });
  expect(await post("/v1/messages", {})).toMatchObject({ status: 400 });
  expect(await post("/v1/messages", chat("x"), { secret: "" })).toMatchObject({ status: 401 });
});

test.each(["negative", "string", "huge", "fraction", "null", "missing"])("odd usage: %s", async (kind) => {
  const model = `o@odd-usage,${kind}`;
  const { body } = await post("/v1/messages", chat(model, false));
  const { usage } = JSON.parse(body);
  const expected: Record<string, unknown> = { negative: -21, string: "20", huge: 1e18, fraction: 20.5, null: null };
  if (kind === "missing") expect(usage).toBeUndefined();
  else expect(usage.output_tokens).toBe(expected[kind]);
  expect(await closedLine(model)).toMatchObject({ oddUsage: kind, usage: null });
});

test("a big line, and text that looks like the protocol", async () => {
  const big = await post("/v1/chat/completions", chat("b@bigline,1000000"));
  expect(Math.max(...big.body.split("\n").map(({ length }) => length))).toBeGreaterThan(1_000_000);
  const trick = await post("/v1/messages", chat("b@trick"));
  expect(trick.body.match(/^event: message_stop$/gm)).toHaveLength(1);
  expect(trick.body).toContain("999999");
});

test("a secret's script makes one provider bad while the model is the same; the model's adds to it", async () => {
  expect(await post("/v1/messages", chat("same"), { secret: "sk-bad@error-before,503" })).toMatchObject({ status: 503 });
  expect(await post("/v1/messages", chat("same"))).toMatchObject({ status: 200 });
  const both = await post("/v1/messages", chat("c@tool"), { secret: "sk@crlf" });
  expect(both.body).toContain("tool_use");
  expect(both.body).toContain("\r\n\r\n");
});

test("each n-th request fails when flaky", async () => {
  const statuses: number[] = [];
  for (let i = 0; i < 6; i++) statuses.push((await post("/v1/messages", chat("f", false), { secret: "sk@flaky,3" })).status);
  expect(statuses).toEqual([200, 200, 503, 200, 200, 503]);
});

test("control changes a script at run time, by call and by request", async () => {
  upstream.control("sk-c@error-before", "plain");
  expect(await post("/v1/messages", chat("c"), { secret: "sk-c@error-before" })).toMatchObject({ status: 200 });
  upstream.control("sk-c@error-before", null);
  expect(await post("/v1/messages", chat("c"), { secret: "sk-c@error-before" })).toMatchObject({ status: 500 });
  expect(await post("/__control", { model: "c2", scenario: "overloaded" })).toMatchObject({ status: 200 });
  expect(await post("/v1/messages", chat("c2"))).toMatchObject({ status: 529 });
  expect(await post("/__control", { model: "c2", scenario: null })).toMatchObject({ status: 200 });
  expect(await post("/v1/messages", chat("c2"))).toMatchObject({ status: 200 });
  expect(await post("/__control", { model: "c2", scenario: "nonsense" })).toMatchObject({ status: 400 });
  expect(() => upstream.control("x", "nonsense")).toThrow(RangeError);
  expect(await post("/v1/messages", chat("c3"), { headers: { "x-upstream-scenario": "error-before,418" } })).toMatchObject({ status: 418 });
});

test("a model whose @ is not a script is plain", async () => {
  expect(parseScenario("2024-10-22")).toBeNull();
  expect(await post("/v1/messages", chat("claude@20241022", false))).toMatchObject({ status: 200 });
});

test("traffic mixes dialects, survives errors and stops", async () => {
  const ending = new AbortController();
  const results: number[] = [];
  upstream.control("*", "plain");
  let seed = 1;
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed / 2 ** 31;
  };
  const done = startTraffic({
    baseUrl: upstream.url,
    keys: ["sk-up-ok"],
    rps: 400,
    signal: ending.signal,
    random,
    onResult: ({ status }) => {
      results.push(status);
      if (results.length >= 40) ending.abort();
    },
  });
  await done;
  upstream.control("*", null);
  expect(results.filter((status) => status === 200).length).toBeGreaterThan(30);
  expect(new Set(upstream.oracle().map(({ dialect }) => dialect))).toEqual(new Set(["anthropic", "openai", "gemini"]));
});
