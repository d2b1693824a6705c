import { describe, expect, test } from "vitest";
import { encodeModel, flavourOf, matchRoute } from "./routes.ts";

describe("paths that are served", () => {
  test.each([
    ["POST", "/v1/messages", { dialect: "anthropic", endpoint: "messages" }],
    ["POST", "/v1/messages?beta=true", { dialect: "anthropic", endpoint: "messages" }],
    ["POST", "/v1/messages/count_tokens?beta=true", { dialect: "anthropic", endpoint: "countTokens", stream: false }],
    ["POST", "/v1/chat/completions", { dialect: "openai", endpoint: "chat" }],
    ["POST", "/v1/responses", { dialect: "openai", endpoint: "responses" }],
    ["POST", "/v1/embeddings", { dialect: "openai", endpoint: "embeddings", stream: false }],
    ["GET", "/v1/models", { dialect: "openai", endpoint: "models", stream: false }],
    ["HEAD", "/v1/models", { dialect: "openai", endpoint: "models", stream: false }],
    ["GET", "/v1/models/org/m%2Fn", { dialect: "openai", endpoint: "models", model: "org/m/n", stream: false }],
    ["GET", "/v1/models/org/models", { dialect: "openai", endpoint: "models", model: "org/models", stream: false }],
    ["GET", "/v1beta/models?pageSize=5", { dialect: "gemini", endpoint: "models", stream: false }],
    ["GET", "/v1beta/models/gemini-x", { dialect: "gemini", endpoint: "models", model: "gemini-x", stream: false }],
    [
      "POST",
      "/v1beta/models/gemini-x:generateContent",
      { dialect: "gemini", endpoint: "generateContent", model: "gemini-x", stream: false },
    ],
    [
      "POST",
      "/v1beta/models/g:streamGenerateContent?key=k&alt=sse",
      { dialect: "gemini", endpoint: "generateContent", model: "g", stream: true },
    ],
    [
      "POST",
      "/v1/models/gm@tool,5:streamGenerateContent?alt=sse",
      { dialect: "gemini", endpoint: "generateContent", model: "gm@tool,5", stream: true },
    ],
    ["GET", "/v1/models?key=k", { dialect: "gemini", endpoint: "models", stream: false }],
    ["POST", "/v1beta/models/a/b%3Ac:countTokens", { dialect: "gemini", endpoint: "countTokens", model: "a/b:c", stream: false }],
    [
      "POST",
      "/v1beta/models/x%40slow%2C50:generateContent",
      { dialect: "gemini", endpoint: "generateContent", model: "x@slow,50", stream: false },
    ],
  ])("%s %s", (method, target, route) => {
    expect(matchRoute(method, target)).toEqual(route);
  });

  test("models have the flavour that the headers ask for", () => {
    expect(matchRoute("GET", "/v1/models", { "anthropic-version": "2023-06-01" })?.dialect).toBe("anthropic");
    expect(matchRoute("GET", "/v1/models", { "x-api-key": "k" })?.dialect).toBe("anthropic");
    expect(matchRoute("GET", "/v1/models", { "x-goog-api-key": "k" })?.dialect).toBe("gemini");
    expect(matchRoute("GET", "/v1/models", { authorization: "Bearer k" })?.dialect).toBe("openai");
  });
});

describe("paths that are not", () => {
  test.each([
    ["GET", "/v1/messages"],
    ["POST", "/v1/models"],
    ["POST", "/v1/models/x"],
    ["POST", "/v1beta/models"],
    ["GET", "/v1/models/a/models/../b"],
    ["PUT", "/v1/chat/completions"],
    ["POST", "/v1/chat/completions/"],
    ["POST", "/v1//messages"],
    ["POST", "/v1/%6dessages"],
    ["POST", "/V1/messages"],
    ["POST", "/v1/__proto__"],
    ["POST", "/v1/constructor"],
    ["POST", "/v1/messages/../responses"],
    ["POST", "/v1beta/models/x:constructor"],
    ["POST", "/v1beta/models/:generateContent"],
    ["POST", "/v1beta/models/..:generateContent"],
    ["POST", "/v1beta/models/a%2F..%2Fb:generateContent"],
    ["POST", "/v1beta/models/a//b:generateContent"],
    ["POST", "/v1beta/models/a%252Fb:generateContent"],
    ["POST", "/v1beta/models/a%ff:generateContent"],
    ["POST", "/v1beta/models/a%:generateContent"],
    ["POST", "/v1beta/models/a%0d%0ab:generateContent"],
    ["POST", "/v1beta/models/a%3Fkey=x:generateContent"],
    ["POST", "/v1beta/models/a%5cb:generateContent"],
    ["POST", "/v1beta/other"],
    ["DELETE", "/v1beta/models"],
    ["GET", "/v1/models/"],
    ["GET", "/v1/modelsx"],
    ["GET", "/"],
  ])("%s %s", (method, target) => {
    expect(matchRoute(method, target)).toBeNull();
  });

  test("a Gemini stream without alt=sse is refused with the reason", () => {
    expect(() => matchRoute("POST", "/v1beta/models/x:streamGenerateContent")).toThrow(
      expect.objectContaining({ code: "invalid_request", field: "alt" }),
    );
  });
});

test("errors on unknown paths have the caller's flavour", () => {
  expect(flavourOf("/v1/messages/batches")).toBe("anthropic");
  expect(flavourOf("/v1beta/anything")).toBe("gemini");
  expect(flavourOf("/v1/models/x:countTokens")).toBe("gemini");
  expect(flavourOf("/v1/anything")).toBe("openai");
  expect(flavourOf("/v1/files", { "anthropic-version": "2023-06-01" })).toBe("anthropic");
  expect(flavourOf("/v1/files", { "x-goog-api-key": "k" })).toBe("gemini");
  // Where OpenAI's API is served, a key may come in any header.
  expect(flavourOf("/v1/chat/completions", { "x-api-key": "k" })).toBe("openai");
});

test("a model name in a path is encoded, slashes stay", () => {
  expect(encodeModel("org/a b?c#d%")).toBe("org/a%20b%3Fc%23d%25");
});
