import { describe, expect, test } from "vitest";
import type { DialectName, Endpoint } from "../requests.ts";
import { chooseCandidates } from "./choose-candidates.ts";
import type { RoutableProvider } from "./provider-index.ts";

function provider(id: string, dialect: DialectName, changes: Partial<RoutableProvider> = {}): RoutableProvider {
  const serves = ["chat", "responses", "embeddings"];
  return { id, dialect, serves, groups: ["default"], priority: 0, weight: 1, models: [], modelRedirects: {}, enabled: true, ...changes };
}

const inTurn = {
  random: () => 0,
  strategy: "weighted",
  measure: () => ({}),
  turnOf: () => 0,
  isWell: () => true,
  failsBack: false,
} as const;

function choose(providers: readonly RoutableProvider[], dialect: DialectName, endpoint: Endpoint, model = "m") {
  const { ordered, decision, none } = chooseCandidates({
    ...{ providers, group: "default", dialect, endpoint, model, stickyProviderId: null, failed: new Set<string>(), nowMs: 1 },
    breakerStateOf: () => "closed",
    ...inTurn,
  });
  return { ids: ordered.map(({ id }) => id), decision, none };
}

describe("providers of another dialect", () => {
  test("come behind those of the client's own at the same priority, and say what is converted", () => {
    const { ids, decision } = choose([provider("o", "openai"), provider("a", "anthropic")], "anthropic", "messages");
    expect(ids).toEqual(["a", "o"]);
    expect(decision.candidates.map(({ converted }) => converted)).toEqual([undefined, "anthropic → openai chat"]);
  });

  test("come first when their priority says so", () => {
    const { ids } = choose([provider("a", "anthropic", { priority: 1 }), provider("o", "openai")], "anthropic", "messages");
    expect(ids).toEqual(["o", "a"]);
  });

  test.each<[string, string[], Endpoint, string | undefined]>([
    ["a chat-only provider serves Responses by conversion", ["chat"], "responses", "openai responses → openai chat"],
    ["a Responses-only provider serves chat by conversion", ["responses"], "chat", "openai chat → openai responses"],
    ["a provider of both converts nothing", ["chat", "responses"], "responses", undefined],
  ])("%s", (_what, serves, endpoint, converted) => {
    const { decision } = choose([provider("o", "openai", { serves })], "openai", endpoint);
    expect(decision.candidates).toEqual([{ providerId: "o", priority: 0, weight: 1, ...(converted ? { converted } : {}) }]);
  });

  test("embeddings are nobody else's", () => {
    expect(choose([provider("a", "anthropic")], "openai", "embeddings")).toMatchObject({ ids: [], none: "unknown_model" });
    const { decision } = choose([provider("o", "openai", { serves: ["embeddings"] })], "anthropic", "messages");
    expect(decision.excluded).toEqual([{ providerId: "o", reason: "dialect" }]);
  });
});

describe("the family that a model belongs to by its name", () => {
  const both = [provider("o", "openai"), provider("a", "anthropic")];

  test("decides between providers that take any model", () => {
    expect(choose(both, "openai", "chat", "claude-sonnet-4-5").ids).toEqual(["a", "o"]);
    expect(choose(both, "openai", "chat", "gpt-5").ids).toEqual(["o", "a"]);
    expect(choose(both, "anthropic", "messages", "gpt-5").ids).toEqual(["o", "a"]);
  });

  test("puts providers that need conversion and are of another family last", () => {
    const providers = [provider("a", "anthropic"), provider("o", "openai", { priority: 5 })];
    expect(choose(providers, "openai", "chat", "gpt-5").ids).toEqual(["o", "a"]);
  });

  test("is not overridden by a session bound to such a last resort", () => {
    const ask = { group: "default", dialect: "anthropic", endpoint: "messages", failed: new Set<string>(), nowMs: 1 } as const;
    const { ordered, decision } = chooseCandidates({
      ...{ ...ask, providers: both, model: "claude-x", stickyProviderId: "o", breakerStateOf: () => "closed" },
      ...inTurn,
    });
    expect(ordered.map(({ id }) => id)).toEqual(["a", "o"]);
    expect(decision.chosenBy).toBe("weighted");
  });

  test("does not matter where the model is listed or redirected", () => {
    const listed = [provider("o", "openai", { models: ["claude-x"] }), provider("a", "anthropic")];
    expect(choose(listed, "openai", "chat", "claude-x").ids).toEqual(["o", "a"]);
    const redirected = [provider("a", "anthropic", { priority: 1 }), provider("o", "openai", { modelRedirects: { "claude-x": "gpt-5" } })];
    expect(choose(redirected, "anthropic", "messages", "claude-x").ids).toEqual(["o", "a"]);
  });
});

describe("Gemini, from and to which nothing is converted yet", () => {
  test.each<[DialectName, DialectName, Endpoint]>([
    ["gemini", "openai", "chat"],
    ["openai", "gemini", "generateContent"],
    ["anthropic", "gemini", "generateContent"],
  ])("a provider of %s for a client of %s is no candidate, and that is said", (served, asked, endpoint) => {
    const { ids, none, decision } = choose([provider("p", served)], asked, endpoint);
    expect(ids).toEqual([]);
    expect(none).toBe("not_convertible");
    expect(decision.excluded).toEqual([{ providerId: "p", reason: "dialect" }]);
  });

  test("a model that nobody serves is unknown all the same", () => {
    expect(choose([provider("g", "gemini", { models: ["x"] })], "openai", "chat").none).toBe("unknown_model");
  });
});
