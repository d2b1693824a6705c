import { describe, expect, test } from "vitest";
import { type ErrorCode, errorCatalogue, SluiceError } from "../errors.ts";
import { dialects } from "./registry.ts";
import { readRetryAfter } from "./upstream-errors.ts";

const { anthropic, openai, gemini } = dialects;
const parse = (text: string) => JSON.parse(text);

describe("error bodies", () => {
  test.each<[code: ErrorCode, status: number, anthropicType: string, geminiStatus: string]>([
    ["invalid_json", 400, "invalid_request_error", "INVALID_ARGUMENT"],
    ["invalid_key", 401, "authentication_error", "UNAUTHENTICATED"],
    ["insufficient_credit", 402, "billing_error", "FAILED_PRECONDITION"],
    ["key_disabled", 403, "permission_error", "PERMISSION_DENIED"],
    ["unknown_model", 404, "not_found_error", "NOT_FOUND"],
    ["body_too_large", 413, "request_too_large", "INVALID_ARGUMENT"],
    ["unsupported_encoding", 415, "invalid_request_error", "INVALID_ARGUMENT"],
    ["rate_limited", 429, "rate_limit_error", "RESOURCE_EXHAUSTED"],
    ["internal", 500, "api_error", "INTERNAL"],
    ["upstream_error", 502, "api_error", "UNAVAILABLE"],
    ["no_provider", 503, "overloaded_error", "UNAVAILABLE"],
    ["spool_unavailable", 503, "api_error", "UNAVAILABLE"],
    ["upstream_timeout", 504, "timeout_error", "DEADLINE_EXCEEDED"],
  ])("%s", (code, status, anthropicType, geminiStatus) => {
    const error = new SluiceError(code, { detail: "internal detail", field: "model" });
    expect(error.status).toBe(status);
    expect(parse(anthropic.errorBody(error, "r1"))).toEqual({
      type: "error",
      error: { type: anthropicType, message: error.message, code, retryable: error.retryable },
      request_id: "r1",
    });
    expect(parse(gemini.errorBody(error, "r1"))).toMatchObject({
      error: {
        code: status,
        message: error.message,
        status: geminiStatus,
        details: [{ reason: code.toUpperCase(), metadata: { request_id: "r1", retryable: String(error.retryable) } }],
      },
    });
    const body = parse(openai.errorBody(error, "r1"));
    expect(Object.keys(body.error)).toEqual(["message", "type", "param", "code", "request_id", "retryable"]);
    expect(body.error).toMatchObject({ message: error.message, param: "model" });
  });

  test("every code of the catalogue has a shape, and none contains internal detail", () => {
    for (const code of Object.keys(errorCatalogue) as ErrorCode[]) {
      const error = new SluiceError(code, { detail: "SECRET" });
      for (const dialect of Object.values(dialects)) {
        const body = dialect.errorBody(error, "r1");
        expect(body).not.toContain("SECRET");
        expect(body).not.toContain('"UNKNOWN"');
        expect(body).not.toContain("undefined");
      }
    }
  });

  test("OpenAI's own codes", () => {
    const codeOf = (code: ErrorCode) => parse(openai.errorBody(new SluiceError(code), "r")).error.code;
    expect(codeOf("invalid_key")).toBe("invalid_api_key");
    expect(codeOf("unknown_model")).toBe("model_not_found");
    expect(codeOf("insufficient_credit")).toBe("insufficient_quota");
    expect(codeOf("rate_limited")).toBe("rate_limit_exceeded");
  });

  test.each([
    "prompt is too long: 210000 tokens > 200000 maximum",
    "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens.",
    "Your input exceeds the context window of this model. Please adjust your input and try again.",
    "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    "the request exceeds the available context size",
  ])("of a conversation that is too long are told as each client's own provider tells them: %s", (message) => {
    const error = new SluiceError("invalid_request", { message });
    expect(parse(openai.errorBody(error, "r")).error).toMatchObject({ code: "context_length_exceeded", message });
    // Claude Code looks for these words.
    const told = parse(anthropic.errorBody(error, "r")).error.message;
    expect(told).toMatch(/^prompt is too long: /);
    expect(told).toContain(message.replace("prompt is too long: ", ""));
    expect(told.match(/prompt is too long/g)).toHaveLength(1);
  });

  test("of other kinds that speak of a context are not taken for one", () => {
    const error = new SluiceError("upstream_overloaded", { message: "No context window left on this server." });
    expect(parse(openai.errorBody(error, "r")).error.code).toBe("upstream_overloaded");
    expect(parse(anthropic.errorBody(error, "r")).error.message).toBe(error.message);
  });

  test("inside other streams each is one whole event in that dialect's form", () => {
    const error = new SluiceError("upstream_overloaded");
    expect(anthropic.errorEvent(error, "r1")).toBe(`event: error\ndata: ${anthropic.errorBody(error, "r1")}\n\n`);
    expect(openai.errorEvent(error, "r1")).toBe(`data: ${openai.errorBody(error, "r1")}\n\n`);
    expect(gemini.errorEvent(error, "r1")).toBe(`data: ${gemini.errorBody(error, "r1")}\n\n`);
  });

  test("inside Responses each is two events: OpenAI's SDKs throw the first's nested error, Codex reads the second only", () => {
    const error = new SluiceError("upstream_overloaded");
    const [thrown = "", failed = "", end] = openai.errorEvent(error, "r-1", "responses").split("\n\n");
    expect(end).toBe("");
    expect(thrown).toMatch(/^event: error\ndata: /);
    const { code, message } = error;
    expect(parse(thrown.split("data: ")[1] ?? "")).toMatchObject({
      ...{ type: "error", code, message, param: null },
      error: { type: "server_error", code, message, param: null, request_id: "r-1", retryable: true },
    });
    expect(failed).toMatch(/^event: response.failed\ndata: /);
    const response = { id: "resp_r1", object: "response", status: "failed", error: { code, message } };
    expect(parse(failed.split("data: ")[1] ?? "")).toMatchObject({ type: "response.failed", response });
  });
});

describe("an upstream's error status", () => {
  test.each<[status: number, code: ErrorCode, failover: boolean]>([
    [302, "upstream_error", true],
    [400, "invalid_request", false],
    [401, "upstream_auth", true],
    [402, "upstream_auth", true],
    [403, "upstream_auth", true],
    [404, "not_found", false],
    [408, "upstream_timeout", true],
    [413, "body_too_large", false],
    [418, "invalid_request", false],
    [422, "invalid_request", false],
    [429, "upstream_rate_limited", true],
    [500, "upstream_error", true],
    [502, "upstream_error", true],
    [503, "upstream_overloaded", true],
    [504, "upstream_timeout", true],
    [529, "upstream_overloaded", true],
    [599, "upstream_error", true],
  ])("%d", (status, code, failover) => {
    for (const dialect of Object.values(dialects)) {
      expect(dialect.readError(status, {}, Buffer.from('{"error":{"message":"why"}}'))).toEqual({
        code,
        message: "why",
        failover,
        countsAgainstProvider: failover,
        retryAfterS: null,
      });
    }
  });

  test("its words are kept short, clean and without credentials", () => {
    const message = (body: string) => openai.readError(500, {}, Buffer.from(body)).message;
    expect(message('{"error":{"message":"Incorrect API key provided: sk-proj-abcdef123456."}}')).toBe(
      "Incorrect API key provided: [redacted]",
    );
    expect(message('{"error":{"message":"a\\r\\nb\\u0000c"}}')).toBe("a b c");
    expect(message('{"error":"text"}')).toBe("text");
    expect(message("<html>bad gateway</html>")).toBe("<html>bad gateway</html>");
    expect(message("")).toBe("HTTP 500");
    expect(message(`{"error":{"message":"${"word ".repeat(400)}"}}`).length).toBeLessThanOrEqual(500);
  });

  test("an error in a list, as in Google's streams and its OpenAI-compatible API, is read like a single one", () => {
    const details = [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "34s" }];
    const error = { code: 429, message: "Resource exhausted.", status: "RESOURCE_EXHAUSTED", details };
    for (const body of [{ error }, [{ error }]]) {
      const read = openai.readError(429, {}, Buffer.from(JSON.stringify(body)));
      expect(read).toMatchObject({ code: "upstream_rate_limited", message: "Resource exhausted.", retryAfterS: 34 });
    }
    const quota = [{ error: { code: 429, message: "No credit.", type: "insufficient_quota" } }];
    expect(openai.readError(429, {}, Buffer.from(JSON.stringify(quota))).code).toBe("upstream_auth");
    expect(openai.readError(500, {}, Buffer.from("[]")).message).toBe("[]");
  });

  test("the words of a FastAPI server are in `detail`", () => {
    expect(openai.readError(404, {}, Buffer.from('{"detail":"Could not find the model."}')).message).toBe("Could not find the model.");
    expect(openai.readError(422, {}, Buffer.from('{"detail":[{"msg":"x"}]}')).message).toBe("HTTP 422");
  });

  test("retry-after in seconds, milliseconds, as a date, and as Google says it", () => {
    const now = Date.parse("2026-01-01T00:00:00Z");
    expect(readRetryAfter({ "retry-after": "7" }, null, now)).toBe(7);
    expect(readRetryAfter({ "retry-after-ms": "1500", "retry-after": "9" }, null, now)).toBe(2);
    expect(readRetryAfter({ "retry-after": "Thu, 01 Jan 2026 00:00:30 GMT" }, null, now)).toBe(30);
    expect(readRetryAfter({ "retry-after": "Wed, 31 Dec 2025 00:00:00 GMT" }, null, now)).toBe(0);
    expect(readRetryAfter({ "retry-after": "999999999" }, null, now)).toBe(86_400);
    expect(readRetryAfter({ "retry-after": "soon" }, null, now)).toBeNull();
    expect(readRetryAfter({}, { details: [{ "@type": "x" }, { retryDelay: "34.5s" }] }, now)).toBe(35);
  });
});
