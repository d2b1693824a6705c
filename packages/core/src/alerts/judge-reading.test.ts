import { describe, expect, it } from "vitest";
import { alertKindFacts, alertKinds } from "./alert-kinds.ts";
import { judgeReading } from "./judge-reading.ts";

const NOW = Date.UTC(2026, 10, 28, 12);
const rule = { threshold: 80, minimumRequests: 20, resolveAfterSeconds: 60 };

describe.each(alertKinds)("a rule of %s", (kind) => {
  const facts = alertKindFacts[kind];
  const of = facts.unit === null ? { ...rule, threshold: 1 } : rule;
  const bad = facts.unit === null ? 1 : facts.bad === "above" ? 80 : 79.9;
  const good = facts.unit === null ? 0 : facts.bad === "above" ? 70 : 90;
  const judge = (value: number | null, requests: number, open: { clearSinceMs: number | null } | null = null, nowMs = NOW) =>
    judgeReading(facts, of, { value, requests }, { open, nowMs });

  it("fires at its threshold, with enough traffic where traffic counts, and never on an unknown figure", () => {
    expect(judge(bad, 20)).toBe("fire");
    expect(judge(good, 20)).toBe("stay");
    expect(judge(bad, 19)).toBe(facts.counted ? "stay" : "fire");
    expect(judge(null, 20)).toBe("stay");
  });

  it("resolves once it was clear for as long as the rule says, without interruption", () => {
    const open = { clearSinceMs: null };
    expect(judge(bad, 20, open)).toBe("stay");
    expect(judge(good, 20, open)).toBe("clear");
    expect(judge(good, 20, { clearSinceMs: NOW - 59_000 })).toBe("stay");
    expect(judge(bad, 20, { clearSinceMs: NOW - 59_000 })).toBe("worsen");
    expect(judge(good, 20, { clearSinceMs: NOW - 60_000 })).toBe("resolve");
    expect(judge(null, 20, { clearSinceMs: NOW - 60_000 })).toBe("stay");
  });
});

describe("an open incident", () => {
  const { error_rate: errors, prompt_cache_hit_rate: hits } = alertKindFacts;
  const open = { clearSinceMs: null };

  it("does not flap around the threshold: it is clear only a margin away from it", () => {
    const judge = (facts: typeof errors, value: number) => judgeReading(facts, rule, { value, requests: 50 }, { open, nowMs: NOW });
    expect([judge(errors, 79), judge(errors, 76)]).toEqual(["stay", "clear"]);
    expect([judge(hits, 80.5), judge(hits, 81)]).toEqual(["stay", "clear"]);
    const share = { ...rule, threshold: 100 };
    expect(judgeReading(errors, share, { value: 95, requests: 50 }, { open, nowMs: NOW })).toBe("clear");
  });

  it("does not end on too few requests, but when its window has none at all", () => {
    const judge = (value: number | null, requests: number) => judgeReading(errors, rule, { value, requests }, { open, nowMs: NOW });
    expect(judge(0, 3)).toBe("stay");
    expect(judge(null, 0)).toBe("clear");
  });

  it("ends at once where the rule asks for no time", () => {
    const at = { open, nowMs: NOW };
    expect(judgeReading(errors, { ...rule, resolveAfterSeconds: 0 }, { value: 1, requests: 20 }, at)).toBe("resolve");
  });
});
