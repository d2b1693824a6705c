import { describe, expect, test } from "vitest";
import { type ChooseInput, chooseCandidates } from "./choose-candidates.ts";
import { upstreamModelOf } from "./model-patterns.ts";
import type { RoutableProvider } from "./provider-index.ts";
import type { OverrideKind } from "./provider-override.ts";

function provider(id: string, changes: Partial<RoutableProvider> = {}): RoutableProvider {
  return {
    id,
    dialect: "openai",
    serves: ["chat", "responses", "embeddings"],
    groups: ["default"],
    priority: 0,
    weight: 1,
    models: [],
    modelRedirects: {},
    enabled: true,
    ...changes,
  };
}

function choose(providers: readonly RoutableProvider[], changes: Partial<ChooseInput<RoutableProvider>> = {}) {
  return chooseCandidates({
    providers,
    group: "default",
    dialect: "openai",
    endpoint: "chat",
    model: "m",
    breakerStateOf: () => "closed",
    stickyProviderId: null,
    failed: new Set(),
    nowMs: 1_000,
    random: () => 0,
    strategy: "weighted",
    measure: () => ({}),
    turnOf: () => 0,
    isWell: () => true,
    failsBack: false,
    ...changes,
  });
}

const ids = (providers: readonly RoutableProvider[]) => providers.map(({ id }) => id);

/** A linear congruential generator: the same dice in every run. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

describe("who is a candidate", () => {
  test("every exclusion keeps its reason", () => {
    const providers = [
      provider("off", { enabled: false }),
      provider("other-group", { groups: ["vip"] }),
      provider("other-dialect", { dialect: "gemini" }),
      provider("no-chat", { serves: ["embeddings"] }),
      provider("other-model", { models: ["x"] }),
      provider("open"),
      provider("failed"),
      provider("good"),
    ];
    const { ordered, decision } = choose(providers, {
      breakerStateOf: (id) => (id === "open" ? "open" : "closed"),
      failed: new Set(["failed"]),
    });
    expect(ids(ordered)).toEqual(["good"]);
    expect(decision.chosenBy).toBe("only");
    expect(decision.candidates).toEqual([{ providerId: "good", priority: 0, weight: 1 }]);
    expect(Object.fromEntries(decision.excluded.map(({ providerId, reason }) => [providerId, reason]))).toEqual({
      off: "disabled",
      "other-group": "group",
      "other-dialect": "dialect",
      "no-chat": "endpoint",
      "other-model": "model",
      open: "breaker_open",
      failed: "already_failed",
    });
    expect(decision.excludedMore).toBeUndefined();
  });

  test("an empty list allows any model; a redirect's key counts as listed; inherited names do not", () => {
    const providers = [
      provider("any"),
      provider("listed", { models: ["m"] }),
      provider("redirects", { models: ["x"], modelRedirects: { m: "m-2" } }),
    ];
    expect(new Set(ids(choose(providers).ordered))).toEqual(new Set(["any", "listed", "redirects"]));
    expect(ids(choose(providers, { model: "toString" }).ordered)).toEqual(["any"]);
  });

  test("the breaker is asked about the name sent upstream", () => {
    const asked: string[] = [];
    choose([provider("a", { modelRedirects: { m: "m-2" } })], {
      breakerStateOf: (_, model) => {
        asked.push(model);
        return "closed";
      },
    });
    expect(asked).toEqual(["m-2"]);
    expect(upstreamModelOf({ modelRedirects: {} }, "constructor")).toBe("constructor");
  });

  test("a due probe stays a candidate", () => {
    expect(ids(choose([provider("a")], { breakerStateOf: () => "probe" }).ordered)).toEqual(["a"]);
  });

  test("the last provider of a group is not put out by its rate of failures alone", () => {
    const tripped = { breakerStateOf: (id: string) => (id === "rate" ? ("tripped" as const) : ("open" as const)) };
    expect(ids(choose([provider("rate"), provider("row")], tripped).ordered)).toEqual(["rate"]);
    expect(choose([provider("row")], tripped).none).toBe("no_provider");
    const besideHealthy = choose([provider("rate"), provider("good", { priority: 1 })], {
      breakerStateOf: (id) => (id === "rate" ? "tripped" : "closed"),
    });
    expect(ids(besideHealthy.ordered)).toEqual(["good"]);
    expect(besideHealthy.decision.excluded).toEqual([{ providerId: "rate", reason: "breaker_open" }]);
  });

  test("endpoints that are not selectable come with the dialect", () => {
    const anthropic = provider("a", { dialect: "anthropic", serves: ["embeddings"] });
    expect(ids(choose([anthropic], { dialect: "anthropic", endpoint: "messages" }).ordered)).toEqual(["a"]);
    expect(ids(choose([anthropic], { dialect: "anthropic", endpoint: "countTokens" }).ordered)).toEqual(["a"]);
  });

  test("with no provider left, an unknown model and one that is out of order are distinguished", () => {
    expect(choose([]).none).toBe("unknown_model");
    expect(choose([provider("a", { enabled: false })]).none).toBe("no_provider");
    expect(choose([provider("a", { enabled: false, models: ["x"] })]).none).toBe("unknown_model");
    expect(choose([provider("a", { models: ["x"] })]).none).toBe("unknown_model");
    const open = choose([provider("a")], { breakerStateOf: () => "open" });
    expect(open).toMatchObject({ none: "no_provider", ordered: [], decision: { chosenBy: "none" } });
    expect(choose([provider("a")]).none).toBeNull();
  });
});

describe("order", () => {
  test("lowest priority number first, the other tiers after it", () => {
    const providers = [provider("third", { priority: 9 }), provider("first"), provider("second", { priority: 1 })];
    const { ordered, decision } = choose(providers);
    expect(ids(ordered)).toEqual(["first", "second", "third"]);
    expect(decision.chosenBy).toBe("weighted");
  });

  test("weights decide inside a tier: 3 : 1 over many draws", () => {
    const providers = [provider("heavy", { weight: 3 }), provider("light")];
    const random = dice(42);
    let heavyFirst = 0;
    for (let i = 0; i < 20_000; i++) if (choose(providers, { random }).ordered[0]?.id === "heavy") heavyFirst++;
    expect(heavyFirst / 20_000).toBeGreaterThan(0.73);
    expect(heavyFirst / 20_000).toBeLessThan(0.77);
  });

  test("the second place is drawn by weight too", () => {
    const providers = [provider("a", { weight: 8 }), provider("b", { weight: 1 }), provider("c", { weight: 1 })];
    const random = dice(7);
    let bSecond = 0;
    let aFirst = 0;
    for (let i = 0; i < 20_000; i++) {
      const order = ids(choose(providers, { random }).ordered);
      expect([...order].sort()).toEqual(["a", "b", "c"]);
      if (order[0] === "a") {
        aFirst++;
        if (order[1] === "b") bSecond++;
      }
    }
    expect(bSecond / aFirst).toBeGreaterThan(0.47);
    expect(bSecond / aFirst).toBeLessThan(0.53);
  });

  test("the same dice give the same order", () => {
    const providers = Array.from({ length: 12 }, (_, i) => provider(`p${i}`, { weight: i + 1 }));
    expect(ids(choose(providers, { random: dice(1) }).ordered)).toEqual(ids(choose(providers, { random: dice(1) }).ordered));
  });

  test("a session of a lower tier goes back when a provider above is well, and keeps its place below", () => {
    const providers = [provider("a"), provider("b", { priority: 1 }), provider("c", { priority: 1 })];
    const { ordered, decision } = choose(providers, { stickyProviderId: "c", failsBack: true });
    expect(ids(ordered)).toEqual(["a", "c", "b"]);
    expect(decision).toMatchObject({ chosenBy: "weighted", failedBackFrom: "c" });
    for (const changes of [{ isWell: () => false }, { breakerStateOf: (id: string) => (id === "a" ? "open" : "closed") }] as const) {
      const stays = choose(providers, { stickyProviderId: "c", failsBack: true, ...changes });
      expect(ids(stays.ordered)[0]).toBe("c");
      expect(stays.decision.chosenBy).toBe("sticky");
      expect(stays.decision).not.toHaveProperty("failedBackFrom");
    }
    expect(choose(providers, { stickyProviderId: "a", failsBack: true }).decision.chosenBy).toBe("sticky");
  });

  test("the decision says what a strategy saw", () => {
    const measure = ({ id }: RoutableProvider) => ({ inFlight: id === "a" ? 4 : 1 });
    const { ordered, decision } = choose([provider("a"), provider("b")], { strategy: "least_in_flight", measure });
    expect(ids(ordered)).toEqual(["b", "a"]);
    expect(decision).toMatchObject({
      chosenBy: "least_in_flight",
      candidates: [
        { providerId: "b", saw: { inFlight: 1 } },
        { providerId: "a", saw: { inFlight: 4 } },
      ],
    });
  });

  test("the sticky provider goes first, whatever its tier, and appears once", () => {
    const providers = [provider("a"), provider("b", { priority: 5 })];
    const { ordered, decision } = choose(providers, { stickyProviderId: "b" });
    expect(ids(ordered)).toEqual(["b", "a"]);
    expect(decision.chosenBy).toBe("sticky");
  });

  test.each<[string, string, Partial<ChooseInput<RoutableProvider>>]>([
    ["not a candidate any more", "gone", {}],
    ["failed already", "b", { failed: new Set(["b"]) }],
    ["open", "b", { breakerStateOf: (id) => (id === "b" ? "open" : "closed") }],
  ])("a sticky provider that is %s is passed over", (_, stickyProviderId, changes) => {
    const { ordered, decision } = choose([provider("a"), provider("b")], { stickyProviderId, ...changes });
    expect(ordered[0]?.id).toBe("a");
    expect(decision.chosenBy).not.toBe("sticky");
  });
});

describe("many providers", () => {
  const providers = Array.from({ length: 1_000 }, (_, i) => provider(`p${i}`, { groups: [i % 2 ? "default" : "vip"], priority: i % 3 }));

  test("what the configuration decides is read once per configuration", () => {
    let reads = 0;
    const watched = providers.map((each) => ({
      ...each,
      get groups() {
        reads++;
        return each.groups;
      },
    }));
    for (let i = 0; i < 100; i++) choose(watched, { random: dice(i) });
    expect(reads).toBe(1_000);
    choose([...watched]);
    expect(reads).toBe(2_000);
  });

  test("a decision stays small, and counts what it omits", () => {
    const { ordered, decision } = choose(providers, { random: dice(3), breakerStateOf: (id) => (id === "p3" ? "open" : "closed") });
    expect(ordered).toHaveLength(16);
    // The one that a session leaves is in a lower tier, and may be the sixteenth.
    const above = Array.from({ length: 15 }, (_, index) => provider(`above-${index}`));
    const below = ["t", "u", "s"].map((id) => provider(id, { priority: 1 }));
    const left = choose([...above, ...below], { stickyProviderId: "s", failsBack: true });
    expect(left.ordered).toHaveLength(16);
    expect(left.ordered.at(-1)?.id).toBe("s");
    expect(ordered.every(({ priority, groups }) => priority === 0 && groups[0] === "default")).toBe(true);
    expect(decision.excluded).toHaveLength(64);
    expect((decision.excludedMore ?? 0) + 64).toBeGreaterThanOrEqual(500);
  });

  test("model names of clients do not grow the index without bound", () => {
    const few = [provider("a")];
    for (let i = 0; i < 5_000; i++) expect(choose(few, { model: `m${i}` }).none).toBeNull();
  });
});

describe("an administrator's override", () => {
  const overridden = (kind: OverrideKind, untilMs: number | null = null) => provider("a", { override: { kind, untilMs, note: "" } });

  test("forced open gets nothing, not even its own sessions", () => {
    const { ordered, decision } = choose([overridden("open"), provider("b")], { stickyProviderId: "a" });
    expect(ids(ordered)).toEqual(["b"]);
    expect(decision.excluded).toEqual([{ providerId: "a", reason: "forced_open" }]);
  });

  test("draining serves the sessions it has and nothing new", () => {
    const providers = [overridden("drain"), provider("b")];
    expect(ids(choose(providers, { stickyProviderId: "a" }).ordered)).toEqual(["a", "b"]);
    for (const stickyProviderId of [null, "b"]) {
      const { ordered, decision } = choose(providers, { stickyProviderId });
      expect(ids(ordered)).toEqual(["b"]);
      expect(decision.excluded).toEqual([{ providerId: "a", reason: "draining" }]);
    }
    expect(choose([overridden("drain")])).toMatchObject({ ordered: [], none: "no_provider" });
  });

  test("closed ignores the breaker; a draining one's breaker still counts", () => {
    const breakerStateOf = () => "open" as const;
    expect(ids(choose([overridden("closed")], { breakerStateOf }).ordered)).toEqual(["a"]);
    expect(choose([overridden("drain")], { breakerStateOf, stickyProviderId: "a" }).decision.excluded).toEqual([
      { providerId: "a", reason: "breaker_open" },
    ]);
  });

  test("ends by the clock alone", () => {
    const providers = [overridden("open", 2_000)];
    expect(choose(providers, { nowMs: 1_999 }).none).toBe("no_provider");
    expect(ids(choose(providers, { nowMs: 2_000 }).ordered)).toEqual(["a"]);
  });
});
