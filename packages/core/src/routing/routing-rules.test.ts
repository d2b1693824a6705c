import { describe, expect, it } from "vitest";
import { newId } from "../ids.ts";
import { RoutingRule } from "../inputs/routing-rules.ts";
import { matchRoutingRule, type RuleSubject, routingRuleProblem } from "./routing-rules.ts";

const rule = (fields: Partial<RoutingRule>): RoutingRule => RoutingRule.parse({ name: "Rule", provider: "East", ...fields });

const keyId = "019aa400-0000-7000-8000-000000000001";
const subject: RuleSubject = {
  model: "claude-opus-4",
  keyId,
  userEmail: "ann@example.com",
  dialect: "anthropic",
  headers: { "user-agent": "claude-cli/2.0" },
  path: "/v1/messages",
  bodyBytes: 1_000,
  stickyId: "session",
  nowMs: Date.UTC(2026, 0, 5, 12),
};

describe("what a routing rule looks at", () => {
  const noon = { zone: "UTC", windows: [{ from: "11:00", to: "13:00" }] };
  it.each<[string, Partial<RoutingRule>, Partial<RuleSubject>]>([
    ["model", { models: ["gpt-*", "/^claude-opus/"] }, { model: "claude-haiku-4" }],
    ["key", { keys: [keyId] }, { keyId: "019aa400-0000-7000-8000-000000000002" }],
    ["user", { users: ["ann@example.com"] }, { userEmail: "bob@example.com" }],
    ["dialect", { dialects: ["anthropic"] }, { dialect: "openai" }],
    ["header", { headers: [{ name: "user-agent", value: "claude-cli/*" }] }, { headers: {} }],
    ["header's value", { headers: [{ name: "user-agent", value: "claude-cli/*" }] }, { headers: { "user-agent": "curl/8" } }],
    ["path", { paths: ["*/messages"] }, { path: "/v1/messages/count_tokens" }],
    ["least size", { bodyBytesMin: 1_000 }, { bodyBytes: 999 }],
    ["greatest size", { bodyBytesMax: 1_000 }, { bodyBytes: 1_001 }],
    ["time", { schedule: noon }, { nowMs: Date.UTC(2026, 0, 5, 13) }],
  ])("its %s", (_what, condition, other) => {
    const rules = [rule(condition)];
    expect(matchRoutingRule(rules, subject)).toEqual({ name: "Rule", provider: "East" });
    expect(matchRoutingRule(rules, { ...subject, ...other })).toBeNull();
  });

  it("all of it, in the order of the rules, without those that are switched off", () => {
    const rules = [
      rule({ name: "Both", models: ["claude-*"], users: ["bob@example.com"] }),
      rule({ name: "Off", enabled: false }),
      rule({ name: "First", models: ["claude-*"], provider: null, group: "large", model: "claude-haiku-4" }),
      rule({ name: "Second" }),
    ];
    expect(matchRoutingRule(rules, subject)).toEqual({ name: "First", group: "large", model: "claude-haiku-4" });
    expect(matchRoutingRule(rules, { ...subject, model: "gpt-5" })?.name).toBe("Second");
    expect(matchRoutingRule([], subject)).toBeNull();
  });

  it("expressions that cannot be used are named with their field", () => {
    expect(routingRuleProblem(rule({ models: ["/(/"] }))).toMatchObject({ field: "models" });
    expect(routingRuleProblem(rule({ headers: [{ name: "x-team", value: "a*b" }] }))).toMatchObject({ field: "headers" });
    expect(routingRuleProblem(rule({ paths: ["/v1/*"] }))).toBeNull();
  });
});

describe("R30 a canary takes its share of the sessions, always the same ones", () => {
  const sessions = Array.from({ length: 10_000 }, () => newId(Date.now()));
  const takenAt = (percent: number): Set<string> => {
    const rules = [rule({ percent })];
    return new Set(sessions.filter((stickyId) => matchRoutingRule(rules, { ...subject, stickyId })));
  };

  it("10 ± 1.5, 50 ± 1.5 and 100 of a hundred, those of a smaller share within those of a greater", () => {
    const [ten, fifty] = [takenAt(10), takenAt(50)];
    expect(Math.abs(ten.size / 100 - 10)).toBeLessThan(1.5);
    expect(Math.abs(fifty.size / 100 - 50)).toBeLessThan(1.5);
    expect(takenAt(100).size).toBe(10_000);
    expect(takenAt(0).size).toBe(0);
    expect([...ten].every((session) => fifty.has(session))).toBe(true);
    expect(takenAt(10)).toEqual(ten);
  });

  it("two canaries are independent of each other", () => {
    const rules = [rule({ name: "One", percent: 50 }), rule({ name: "Two", percent: 50 })];
    const second = sessions.filter((stickyId) => matchRoutingRule(rules, { ...subject, stickyId })?.name === "Two");
    expect(Math.abs(second.length / 100 - 25)).toBeLessThan(1.5);
  });
});
