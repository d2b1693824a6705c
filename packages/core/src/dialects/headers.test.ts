import { describe, expect, test } from "vitest";
import { clientName } from "./client-name.ts";
import { dialects } from "./registry.ts";

const { anthropic, openai, gemini } = dialects;

const hostile = {
  cookie: "a=b",
  authorization: "Bearer client-key",
  "proxy-authorization": "Basic x",
  "x-api-key": "client-key",
  "x-goog-api-key": "client-key",
  "x-forwarded-for": "1.2.3.4",
  "x-forwarded-host": "evil",
  "x-real-ip": "1.2.3.4",
  forwarded: "for=1.2.3.4",
  host: "gateway",
  connection: "keep-alive, x-app",
  "keep-alive": "timeout=5",
  "transfer-encoding": "chunked",
  "content-length": "5",
  "content-encoding": "br",
  "accept-encoding": "br, zstd",
  te: "trailers",
  upgrade: "h2c",
  expect: "100-continue",
  "x-request-id": "client-chosen",
  "x-upstream-scenario": "plain",
  __proto__: "x",
};

describe("what a provider sees of a client", () => {
  test("allow-listed headers, our credential, our request id", () => {
    const sent = anthropic.upstreamHeaders(
      { ...hostile, "anthropic-beta": "b1", "user-agent": "claude-cli/2.1.0", "x-stainless-lang": "js", "anthropic-version": "2024-01-01" },
      "secret",
      "id-1",
    );
    expect(sent).toEqual({
      "anthropic-version": "2024-01-01",
      "anthropic-beta": "b1",
      "user-agent": "claude-cli/2.1.0",
      "x-stainless-lang": "js",
      "content-type": "application/json",
      "accept-encoding": "identity",
      "x-request-id": "id-1",
      "x-api-key": "secret",
    });
    expect(anthropic.upstreamHeaders({}, "secret")["anthropic-version"]).toBe("2023-06-01");
  });

  test("each dialect authenticates in its own way and nothing of the client's credentials passes", () => {
    for (const [dialect, header, value] of [
      [openai, "authorization", "Bearer secret"],
      [gemini, "x-goog-api-key", "secret"],
    ] as const) {
      const sent = dialect.upstreamHeaders(hostile, "secret", "id-1");
      expect(sent).toEqual({ "content-type": "application/json", "accept-encoding": "identity", "x-request-id": "id-1", [header]: value });
    }
    const codex = openai.upstreamHeaders(
      { session_id: "s", originator: "codex_cli_rs", "openai-beta": "x", "openai-organization": "o", traceparent: "t" },
      "s",
    );
    expect(codex).toMatchObject({
      session_id: "s",
      originator: "codex_cli_rs",
      "openai-beta": "x",
      "openai-organization": "o",
      traceparent: "t",
    });
  });
});

test("what a client sees of a provider", () => {
  const upstream = {
    "content-type": "text/event-stream",
    "retry-after": "3",
    "set-cookie": "a=b",
    "content-encoding": "gzip",
    "content-length": "9",
    "transfer-encoding": "chunked",
    connection: "close",
    "x-internal-host": "h",
    server: "nginx",
    "request-id": "theirs",
    "x-request-id": "theirs",
    "x-ratelimit-remaining-requests": "1",
    "anthropic-ratelimit-tokens-limit": "2",
    "openai-processing-ms": "3",
    "access-control-allow-origin": "*",
  };
  const common = { "content-type": "text/event-stream", "retry-after": "3", "x-ratelimit-remaining-requests": "1" };
  expect(anthropic.clientHeaders(upstream)).toEqual({ ...common, "anthropic-ratelimit-tokens-limit": "2" });
  expect(openai.clientHeaders(upstream)).toEqual({ ...common, "openai-processing-ms": "3" });
  expect(gemini.clientHeaders(upstream)).toEqual(common);
});

test("upstream addresses: the base as the official client takes it, the query as the dialect knows it", () => {
  const query = new URLSearchParams("beta=true&key=leak&alt=sse&x=1");
  const at = (
    base: string,
    endpoint: "messages" | "countTokens" | "chat" | "responses" | "embeddings" | "generateContent" | "models",
    model = "m",
    stream = false,
  ) => [base, { endpoint, model, stream, query }] as const;
  expect(anthropic.upstreamUrl(...at("https://a.example/", "messages"))).toBe("https://a.example/v1/messages?beta=true");
  expect(anthropic.upstreamUrl(...at("https://a.example", "countTokens"))).toBe("https://a.example/v1/messages/count_tokens?beta=true");
  expect(anthropic.upstreamUrl(...at("https://a.example/p", "models", ""))).toBe("https://a.example/p/v1/models");
  expect(openai.upstreamUrl(...at("https://o.example/v1", "chat"))).toBe("https://o.example/v1/chat/completions");
  expect(openai.upstreamUrl(...at("https://o.example/v1//", "responses"))).toBe("https://o.example/v1/responses");
  expect(openai.upstreamUrl(...at("https://o.example/v1", "embeddings"))).toBe("https://o.example/v1/embeddings");
  expect(openai.upstreamUrl(...at("https://o.example/v1", "models", "org/m"))).toBe("https://o.example/v1/models/org/m");
  expect(gemini.upstreamUrl(...at("https://g.example", "generateContent", "a/b c"))).toBe(
    "https://g.example/v1beta/models/a/b%20c:generateContent",
  );
  expect(gemini.upstreamUrl(...at("https://g.example", "generateContent", "x", true))).toBe(
    "https://g.example/v1beta/models/x:streamGenerateContent?alt=sse",
  );
  expect(gemini.upstreamUrl(...at("https://g.example", "countTokens", "x"))).toBe("https://g.example/v1beta/models/x:countTokens");
  expect(gemini.upstreamUrl(...at("https://g.example", "models", ""))).toBe("https://g.example/v1beta/models");
});

test("pages of a list of models", () => {
  const models = ["a", "c", "e", "g"].map((id) => ({ id, createdAtMs: 0 }));
  const page = (query: string) => {
    const { data, ...more } = JSON.parse(anthropic.modelList(models, new URLSearchParams(query)));
    return [data.map(({ id }: { id: string }) => id).join(""), more.has_more];
  };
  expect(page("limit=2")).toEqual(["ac", true]);
  expect(page("limit=2&after_id=c")).toEqual(["eg", false]);
  expect(page("limit=2&before_id=g")).toEqual(["ce", true]);
  expect(page("limit=2&before_id=c")).toEqual(["a", false]);
  // One that is gone still has its place.
  expect(page("limit=9&after_id=b")).toEqual(["ceg", false]);
  expect(page("after_id=g")).toEqual(["", false]);
  expect(() => page("limit=-1")).toThrow(expect.objectContaining({ code: "invalid_request", field: "limit" }));
  expect(JSON.parse(gemini.modelList(models, new URLSearchParams("pageSize=3")))).toMatchObject({ nextPageToken: "e" });
  expect(JSON.parse(gemini.modelList(models, new URLSearchParams("pageSize=3&pageToken=e")))).toEqual({
    models: [expect.objectContaining({ name: "models/g" })],
  });
});

test("lists of models", () => {
  const whole = new URLSearchParams();
  const models = [
    { id: "a", createdAtMs: 1_760_000_000_000 },
    { id: "b", createdAtMs: 1_760_000_000_000 },
  ];
  expect(JSON.parse(anthropic.modelList(models, whole))).toMatchObject({
    data: [{ type: "model", id: "a" }, { id: "b" }],
    has_more: false,
    first_id: "a",
    last_id: "b",
  });
  expect(JSON.parse(anthropic.modelList([], whole))).toEqual({ data: [], has_more: false, first_id: null, last_id: null });
  expect(JSON.parse(openai.modelList(models, whole))).toMatchObject({
    object: "list",
    data: [{ id: "a", object: "model", created: 1_760_000_000 }, { id: "b" }],
  });
  expect(JSON.parse(gemini.modelList(models, whole))).toMatchObject({ models: [{ name: "models/a" }, { name: "models/b" }] });
  expect(JSON.parse(gemini.modelList(models, whole))).not.toHaveProperty("nextPageToken");
  for (const dialect of Object.values(dialects)) expect(dialect.modelItem({ id: "a", createdAtMs: 0 })).toContain('a"');
});

test.each([
  ["claude-cli/2.1.3 (external, cli)", "claude-code 2.1"],
  ["codex_cli_rs/0.50.0 (Debian 12; x86_64)", "codex 0.50"],
  ["GeminiCLI/0.9.0/gemini-2.5-pro (linux; x64)", "gemini-cli 0.9"],
  ["OpenAI/JS 6.1.0", "openai-js 6.1"],
  ["OpenAI/Python 1.50.2", "openai-python 1.50"],
  ["Anthropic/JS 1.11.0", "anthropic-js 1.11"],
  ["google-genai-sdk/3.1.0 gl-node/v24.1.0", "genai-js 3.1"],
  ["Mozilla/5.0 (X11; Linux x86_64)", "browser"],
  ["curl/8.5.0", "curl 8.5"],
  ["MyTool", "mytool"],
  ["<script>alert(1)</script>", ""],
  ["", ""],
  [undefined, ""],
])("user agent %s → %s", (agent, name) => {
  expect(clientName(agent)).toBe(name);
});
