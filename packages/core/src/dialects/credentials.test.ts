import { expect, test } from "vitest";
import { readCredential } from "./credentials.ts";

const none = new URLSearchParams();
const key = new URLSearchParams("key=k1");

test.each([
  [{ authorization: "Bearer k1" }, none, "openai"],
  [{ authorization: "bearer  k1" }, none, "openai"],
  [{ "x-api-key": "k1" }, none, "anthropic"],
  [{ "x-goog-api-key": " k1 " }, none, "gemini"],
  [{}, key, "gemini"],
  [{ authorization: "Bearer k1", "x-api-key": "k1" }, none, "anthropic"],
  [{ "x-goog-api-key": "k1" }, key, "gemini"],
  [{ authorization: "Basic abc", "x-api-key": "k1" }, none, "anthropic"],
  [{ "x-api-key": ["k1", "k1"] }, none, "anthropic"],
  [{ "x-api-key": "k1, k1" }, none, "anthropic"],
] as const)("one credential is found in %o", (headers, query, dialect) => {
  expect(readCredential(headers as Record<string, string>, query, dialect)).toBe("k1");
});

test.each([
  [{ authorization: "Bearer k1", "x-api-key": "k2" }, none, "anthropic"],
  [{ "x-goog-api-key": "k2" }, key, "gemini"],
  [{ "x-api-key": ["k1", "k2"] }, none, "anthropic"],
  [{ "x-api-key": "k1, k2" }, none, "anthropic"],
  [{}, new URLSearchParams("key=a&key=b"), "gemini"],
] as const)("two different ones are refused: %o", (headers, query, dialect) => {
  expect(() => readCredential(headers as unknown as Record<string, string>, query, dialect)).toThrow(
    expect.objectContaining({ code: "conflicting_credentials" }),
  );
});

test.each([
  [{}, none, "openai"],
  [{ authorization: "Bearer " }, none, "openai"],
  [{ authorization: "Basic abc" }, none, "openai"],
  [{ "x-api-key": "  " }, none, "anthropic"],
  // Only Gemini's clients send it in the query string; for other dialects it would only end up in logs.
  [{}, key, "openai"],
  [{}, key, "anthropic"],
] as const)("none is found in %o", (headers, query, dialect) => {
  expect(() => readCredential(headers as Record<string, string>, query, dialect)).toThrow(expect.objectContaining({ code: "missing_key" }));
});
