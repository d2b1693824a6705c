import { once } from "node:events";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, startHarness } from "./harness.ts";

let harness: Harness;
const secrets: Record<string, string> = {};
beforeAll(async () => {
  harness = await startHarness({
    providers: [
      { dialect: "openai", models: ["fake-plain"] },
      { dialect: "anthropic", models: ["claude-fake", "claude-new"] },
      { dialect: "gemini", models: ["gemini-fake"] },
    ],
    limits: { bodyBytes: 256 * 1024, bodiesBytes: 300 * 1024 },
  });
  secrets.good = harness.key.secret;
  secrets.disabled = (await harness.group([], { disabledAt: new Date() })).key;
  secrets.expired = (await harness.group([], { expiresAt: new Date(Date.now() - 1_000) })).key;
  secrets.lonely = (await harness.group([{ dialect: "openai", enabled: false }])).key;
  secrets.empty = (await harness.group([])).key;
  const owner = await harness.database.prisma.user.create({
    data: { id: crypto.randomUUID(), email: "gone@example.test", name: "gone", disabledAt: new Date() },
  });
  secrets.ownerless = (await harness.group([], { userId: owner.id })).key;
});
afterAll(() => harness.close());

interface Reply {
  status: number;
  headers: Map<string, string>;
  body: string;
}

/** Writes bytes on a plain connection, since no client library would send them. */
async function raw(head: string[], body: Buffer | string = ""): Promise<Reply> {
  const socket = connect(Number(new URL(harness.url).port), "127.0.0.1");
  socket.on("error", () => undefined);
  const parts: Buffer[] = [];
  socket.on("data", (part) => parts.push(part));
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  socket.write(body);
  const text = () => Buffer.concat(parts).toString("latin1");
  await expect
    .poll(
      () => {
        const [top = "", rest] = text().split("\r\n\r\n");
        const length = Number(/content-length: (\d+)/i.exec(top)?.[1] ?? Number.NaN);
        return rest !== undefined && Buffer.byteLength(rest, "latin1") >= length;
      },
      { timeout: 10_000 },
    )
    .toBe(true);
  socket.destroy();
  if (!socket.closed) await once(socket, "close");
  const [top = "", rest = ""] = text().split("\r\n\r\n");
  const [line = "", ...fields] = top.split("\r\n");
  return {
    status: Number(line.split(" ")[1]),
    headers: new Map(fields.map((field) => [field.split(": ")[0]?.toLowerCase() ?? "", field.split(": ")[1] ?? ""])),
    body: rest,
  };
}

type Family = "openai" | "anthropic" | "gemini";
const paths: Record<Family, string> = {
  openai: "/v1/chat/completions",
  anthropic: "/v1/messages",
  gemini: "/v1beta/models/gemini-fake:generateContent",
};
const bodies: Record<Family, string> = {
  openai: '{"model":"fake-plain","messages":[]}',
  anthropic: '{"model":"claude-fake","max_tokens":1,"messages":[]}',
  gemini: '{"contents":[]}',
};

interface Case {
  name: string;
  status: number;
  /** As recorded in the log; null: no row is expected. */
  code: string | null;
  family?: Family;
  method?: string;
  target?: string;
  key?: string | null;
  /** Replaces the usual Host header. */
  host?: string[];
  headers?: string[];
  body?: string | Buffer;
}

const deep = `{"model":"fake-plain","x":${"[".repeat(65)}${"]".repeat(65)}}`;
const type = "content-type: application/json";

const cases: Case[] = [
  { name: "no credential", status: 401, code: "missing_key", key: null },
  { name: "an unknown key", status: 401, code: "invalid_key", key: "sk-sluice-nobody" },
  { name: "a key of 8 KB", status: 401, code: "invalid_key", key: "k".repeat(8_192) },
  { name: "a key with quotes", status: 401, code: "invalid_key", key: "'--;\"" },
  { name: "two different credentials", status: 400, code: "conflicting_credentials", headers: [type, "x-api-key: other"] },
  { name: "two Authorization headers", status: 400, code: "conflicting_credentials", headers: [type, "authorization: Bearer other"] },
  { name: "a disabled key", status: 403, code: "key_disabled", key: "disabled" },
  { name: "an expired key", status: 401, code: "key_expired", key: "expired" },
  { name: "a key whose owner is disabled", status: 403, code: "user_disabled", key: "ownerless" },
  { name: "the group's only provider switched off", status: 503, code: "no_provider", key: "lonely" },
  { name: "no provider in the key's group", status: 404, code: "unknown_model", key: "empty" },
  { name: "a model nobody serves", status: 404, code: "unknown_model", body: '{"model":"fake-unknown","messages":[]}' },
  {
    name: "a model without a price",
    status: 400,
    code: "unpriced_model",
    family: "anthropic",
    body: '{"model":"claude-new","max_tokens":1,"messages":[]}',
  },
  { name: "no body", status: 400, code: "invalid_json", body: "" },
  { name: "no JSON", status: 400, code: "invalid_json", body: "model=x" },
  { name: "trailing garbage", status: 400, code: "invalid_json", body: `${bodies.openai}x` },
  {
    name: "invalid UTF-8",
    status: 400,
    code: "invalid_json",
    body: Buffer.from([...Buffer.from('{"model":"'), 0xff, 0xfe, ...Buffer.from('"}')]),
  },
  { name: "a JSON array", status: 400, code: "invalid_request", body: "[]" },
  { name: "null", status: 400, code: "invalid_request", body: "null" },
  { name: "no model", status: 400, code: "missing_model", body: '{"messages":[]}' },
  { name: "a model that is no text", status: 400, code: "missing_model", body: '{"model":7}' },
  { name: "a model with a line break", status: 400, code: "invalid_request", body: '{"model":"a\\r\\nx-evil: 1"}' },
  { name: "two models", status: 400, code: "duplicate_field", body: '{"model":"fake-plain","model":"dear"}' },
  { name: "two models, one escaped", status: 400, code: "duplicate_field", body: '{"model":"fake-plain","mod\\u0065l":"dear"}' },
  { name: "two streams", status: 400, code: "duplicate_field", body: '{"model":"fake-plain","stream":false,"stream":true}' },
  { name: "a stream that is no boolean", status: 400, code: "invalid_request", body: '{"model":"fake-plain","stream":"yes"}' },
  {
    name: "an answer in the background",
    status: 400,
    code: "invalid_request",
    target: "/v1/responses",
    body: '{"model":"fake-plain","input":"Hi","background":true}',
  },
  { name: "65 levels", status: 400, code: "too_deep", body: deep },
  { name: "no content type", status: 415, code: "unsupported_media_type", headers: [] },
  { name: "text/plain", status: 415, code: "unsupported_media_type", headers: ["content-type: text/plain"] },
  { name: "a content type with garbage", status: 415, code: "unsupported_media_type", headers: ["content-type: application/json garbage"] },
  { name: "UTF-16", status: 415, code: "unsupported_media_type", headers: ["content-type: application/json; charset=utf-16"] },
  { name: "two content types", status: 400, code: "invalid_request", headers: [type, "content-type: text/plain"] },
  {
    name: "a gzip body",
    status: 415,
    code: "unsupported_encoding",
    headers: [type, "content-encoding: gzip"],
    body: gzipSync(bodies.openai),
  },
  { name: "a Brotli body", status: 415, code: "unsupported_encoding", headers: [type, "content-encoding: br"] },
  { name: "a body over the limit", status: 413, code: "body_too_large", body: Buffer.alloc(256 * 1024 + 1, 32) },
  { name: "a body announced over the limit", status: 413, code: "body_too_large", headers: [type, "content-length: 99999999"] },
  { name: "two Hosts", status: 400, code: "invalid_host", host: ["host: a", "host: b"] },
  { name: "an empty Host", status: 400, code: "invalid_host", host: ["host: "] },
  { name: "a Host with a path", status: 400, code: "invalid_host", host: ["host: a/#"] },
  { name: "a Host with userinfo", status: 400, code: "invalid_host", host: ["host: a@b"] },
  { name: "an absolute-form target", status: 400, code: "invalid_target", target: "http://evil/v1/chat/completions" },
  { name: "101 headers", status: 431, code: "too_many_headers", headers: [type, ...Array.from({ length: 101 }, (_, i) => `x-${i}: 1`)] },
  { name: "2,100 headers", status: 431, code: null, headers: [type, ...Array.from({ length: 2_100 }, () => "a:")] },
  { name: "TRACE", status: 405, code: "method_not_allowed", method: "TRACE" },
  { name: "GET", status: 405, code: "method_not_allowed", method: "GET" },
  { name: "DELETE", status: 405, code: "method_not_allowed", method: "DELETE" },
  {
    name: "a Gemini stream without alt=sse",
    status: 400,
    code: "invalid_request",
    family: "gemini",
    target: "/v1beta/models/gemini-fake:streamGenerateContent",
  },
  { name: "an unknown path", status: 404, code: null, target: "/v1/nothing" },
  { name: "a path with a trailing slash", status: 404, code: null, target: "/v1/chat/completions/" },
  { name: "a path in capitals", status: 404, code: null, target: "/v1/Chat/Completions" },
  { name: "a path with dots", status: 404, code: null, target: "/v1/./chat/completions" },
  ...(["anthropic", "gemini"] as const).flatMap((family): Case[] => [
    { name: `no credential (${family})`, status: 401, code: "missing_key", key: null, family },
    { name: `no JSON (${family})`, status: 400, code: "invalid_json", body: "{", family },
    { name: `text/plain (${family})`, status: 415, code: "unsupported_media_type", headers: ["content-type: text/plain"], family },
    { name: `two Hosts (${family})`, status: 400, code: "invalid_host", host: ["host: a", "host: b"], family },
    { name: `a disabled key (${family})`, status: 403, code: "key_disabled", key: "disabled", family },
  ]),
];

async function send(one: Case): Promise<Reply> {
  const family = one.family ?? "openai";
  const body = one.body ?? bodies[family];
  const key = one.key === undefined ? secrets.good : one.key === null ? null : (secrets[one.key] ?? one.key);
  const headers = one.headers ?? [type];
  const length = headers.some((header) => header.startsWith("content-length")) ? [] : [`content-length: ${Buffer.byteLength(body)}`];
  return raw(
    [
      `${one.method ?? "POST"} ${one.target ?? paths[family]} HTTP/1.1`,
      ...(one.host ?? ["host: gateway"]),
      ...(key === null ? [] : [`authorization: Bearer ${key}`]),
      ...headers,
      ...length,
    ],
    body,
  );
}

/** Every failure of a dialect has one shape, with code, message, request id and whether to retry. */
function checkShape(family: Family, reply: Reply): void {
  const body = JSON.parse(Buffer.from(reply.body, "latin1").toString("utf8"));
  const id = reply.headers.get("x-request-id");
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  expect(reply.headers.get("request-id")).toBe(id);
  expect(reply.headers.get("content-type")).toMatch(/^application\/json/);
  const text = expect.any(String);
  const retryable = expect.any(Boolean);
  if (family === "anthropic")
    expect(body).toMatchObject({ type: "error", error: { type: text, code: text, message: text, retryable }, request_id: id });
  else if (family === "openai") expect(body).toMatchObject({ error: { message: text, type: text, code: text, request_id: id, retryable } });
  else {
    const details = [{ reason: text, domain: "sluice", metadata: { request_id: id, retryable: expect.stringMatching(/^(true|false)$/) } }];
    expect(body).toMatchObject({ error: { code: reply.status, message: text, status: expect.stringMatching(/^[A-Z_]+$/), details } });
  }
  expect(reply.body).not.toMatch(/\bat .*\.ts:\d+|node_modules|SluiceError/);
}

describe("R33 every failure has its status, one shape, no upstream call and one refused row:", () => {
  it.each(cases.map((one) => [one.name, one] as const))("%s", async (_name, one) => {
    const calls = harness.upstreamCalls();
    const reply = await send(one);
    expect(reply.status).toBe(one.status);
    checkShape(one.family ?? "openai", reply);
    const id = reply.headers.get("x-request-id") ?? "";
    if (one.code !== null) {
      const { row } = await harness.settled(id);
      expect(row).toMatchObject({
        state: "refused",
        status: one.status,
        errorCode: one.code,
        billable: false,
        costNanoUsd: "0",
        attempts: 0,
      });
    }
    expect(harness.upstreamCalls()).toBe(calls);
    expect(harness.gateway.stats().bodyBytes).toBe(0);
  });

  it("also what Node's parser refuses", async () => {
    for (const [head, status] of [
      [["POST /v1/messages HTTP/1.1", "host: a", "content-length: 1", "content-length: 2"], 400],
      [["nonsense"], 400],
      [["POST /v1/messages HTTP/1.1", "host: a", `x: ${"y".repeat(20_000)}`], 431],
    ] as const) {
      const reply = await raw([...head]);
      expect(reply.status).toBe(status);
      checkShape("openai", reply);
    }
  });
});

it("bodies beyond the process's budget are refused until there is room", async () => {
  const socket = connect(Number(new URL(harness.url).port), "127.0.0.1");
  socket.write(`POST /v1/messages HTTP/1.1\r\nhost: a\r\nx-api-key: ${secrets.good}\r\n${type}\r\ncontent-length: 200000\r\n\r\n{`);
  await expect.poll(() => harness.gateway.stats().bodyBytes).toBe(200_000);
  const refused = await harness.call("/v1/messages", { body: `{"model":"claude-fake","x":"${"y".repeat(150_000)}"}` });
  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(await refused.json()).toMatchObject({ type: "error" });
  socket.destroy();
  await expect.poll(() => harness.gateway.stats().bodyBytes).toBe(0);
});

it("unauthenticated requests cannot fill the log: ten rows a second, the rest is counted", async () => {
  const strict = await startHarness({ limits: { anonymousRowsPerSecond: 10 } });
  try {
    await Promise.all(
      Array.from({ length: 60 }, () => strict.call("/v1/messages", { key: "sk-nobody", body: {} }).then((response) => response.text())),
    );
    expect(strict.gateway.stats().refusedAnonymous).toBe(60);
    const { status } = await strict.call("/v1/models", { method: "GET" });
    expect(status).toBe(200);
    await strict.findRow(({ endpoint, state }) => endpoint === "models" && state === "done");
    // Sixty requests take less than three seconds, even on a slow machine.
    expect((await strict.rows(1)).filter(({ state }) => state === "refused").length).toBeLessThanOrEqual(30);
  } finally {
    await strict.close();
  }
});

it("nothing of a refused request pollutes a prototype", async () => {
  await harness
    .call("/v1/chat/completions", {
      body: '{"model":"fake-plain","messages":[],"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
    })
    .then((response) => response.text());
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});
