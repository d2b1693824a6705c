import { describe, expect, test } from "vitest";
import { claimsModel, patternProblem, takesModel, upstreamModelOf } from "./model-patterns.ts";

const takes = (models: string[], model: string) => takesModel({ models, modelRedirects: [] }, model);

describe("which models a provider takes", () => {
  test.each([
    ["claude-opus", "claude-opus", true],
    ["claude-opus", "claude-opus-4", false],
    ["claude-*", "claude-opus-4", true],
    ["claude-*", "my-claude-opus", false],
    ["*-latest", "gpt-latest", true],
    ["*-latest", "gpt-latest-2", false],
    ["*opus*", "claude-opus-4", true],
    ["*opus*", "claude-sonnet", false],
    ["*", "anything", true],
    ["/^gpt-[45]/", "gpt-5-mini", true],
    ["/^gpt-[45]/", "gpt-3.5", false],
    ["/mini$/", "gpt-5-mini", true],
    ["a.c", "abc", false],
  ])("%s takes %s: %s", (pattern, model, expected) => {
    expect(takes([pattern], model)).toBe(expected);
  });

  test("any without a list; with one, what the redirects match counts as listed", () => {
    expect(takes([], "whatever")).toBe(true);
    const rules = { models: ["a"], modelRedirects: [{ from: "claude-*", to: "b" }] };
    expect(["a", "claude-x", "b"].map((model) => takesModel(rules, model))).toEqual([true, true, false]);
    expect(claimsModel({ models: [], modelRedirects: rules.modelRedirects }, "claude-x")).toBe(true);
    expect(claimsModel({ models: [], modelRedirects: rules.modelRedirects }, "gpt")).toBe(false);
  });
});

describe("redirects", () => {
  test("the first that matches wins, exact or not", () => {
    const modelRedirects = [
      { from: "claude-haiku", to: "small" },
      { from: "/haiku|sonnet/", to: "middle" },
      { from: "claude-*", to: "large" },
      { from: "claude-sonnet", to: "never" },
    ];
    const sent = (model: string) => upstreamModelOf({ modelRedirects }, model);
    expect(["claude-haiku", "claude-sonnet", "claude-opus", "gpt"].map(sent)).toEqual(["small", "middle", "large", "gpt"]);
  });

  test("an object, the older form, is read as exact names, and inherited names of Object are not entries", () => {
    expect(upstreamModelOf({ modelRedirects: { a: "b" } }, "a")).toBe("b");
    expect(upstreamModelOf({ modelRedirects: { a: "b" } }, "constructor")).toBe("constructor");
  });
});

describe("patterns that cannot be used", () => {
  test.each(["a*b", "*a*b*", "/(/", "/(?=a)/", "/(a{500}){500}/", "/(\\pL{400}x{400})/"])("%s is refused and takes nothing", (pattern) => {
    expect(patternProblem(pattern)).toContain(pattern);
    expect(takes([pattern], pattern)).toBe(false);
  });

  test("patterns that make other engines backtrack forever are answered", () => {
    expect(patternProblem("/(a+)+$/")).toBeNull();
    expect(takes(["/^(a+)+$/"], `${"a".repeat(199)}b`)).toBe(false);
    expect(takes(["/(x+x+)+y/"], "x".repeat(10_000))).toBe(false);
  });
});
