import { describe, expect, it } from "vitest";
import { createTopicNeeds, KEPT_MS } from "./topic-needs.ts";

/** Needs whose timers the test controls. */
function arrange() {
  const told = { own: 0, wanted: 0 };
  let timers: { ms: number; run: () => void }[] = [];
  const needs = createTopicNeeds({
    onOwn: () => {
      told.own += 1;
    },
    onWanted: () => {
      told.wanted += 1;
    },
    after(ms, run) {
      const timer = { ms, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
  });
  const pass = (): void => {
    for (const { ms, run } of timers.splice(0)) {
      expect(ms).toBe(KEPT_MS);
      run();
    }
  };
  return { needs, told, pass };
}

describe("topics that are asked for", () => {
  it("are those of the open pages; a topic stays for a minute after its last page, so that going back and forth changes nothing", () => {
    const { needs, told, pass } = arrange();
    const leaveLogs = needs.need(["logs"]);
    expect(needs.wanted()).toEqual(["logs"]);
    const leaveSessions = needs.need(["sessions", "logs"]);
    expect(needs.wanted()).toEqual(["logs", "sessions"]);
    leaveLogs();
    leaveSessions();
    leaveSessions();
    expect([needs.own(), needs.wanted()]).toEqual([[], ["logs", "sessions"]]);
    const leaveAgain = needs.need(["logs"]);
    pass();
    expect(needs.wanted()).toEqual(["logs"]);
    expect(told).toEqual({ own: 4, wanted: 3 });
    leaveAgain();
    pass();
    expect(needs.wanted()).toEqual([]);
  });

  it("are also those of the other tabs, until they change them, close, or do not answer a new leader", () => {
    const { needs, pass } = arrange();
    needs.heard("a", ["providers"]);
    needs.heard("b", ["system", "providers"]);
    needs.need(["logs"]);
    expect([needs.own(), needs.wanted()]).toEqual([["logs"], ["logs", "providers", "system"]]);
    needs.heard("b", []);
    pass();
    expect(needs.wanted()).toEqual(["logs", "providers"]);
    needs.forgetOthers();
    needs.heard("a", ["providers"]);
    pass();
    expect(needs.wanted()).toEqual(["logs", "providers"]);
    needs.forgetOthers();
    pass();
    expect(needs.wanted()).toEqual(["logs"]);
  });
});
