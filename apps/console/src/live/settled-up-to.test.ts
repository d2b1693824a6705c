import type { InstanceState } from "@sluice/core/events";
import { describe, expect, it } from "vitest";
import { settledUpTo } from "./settled-up-to.ts";

const NOW = 1_000_000;

function gateway(seenAtMs: number, spool: { depth: number; oldestAgeMs: number } | null): InstanceState {
  return {
    ...{ id: String(seenAtMs), roles: [], version: "1", runtime: "v24", host: "h", pid: 1, startedAtMs: 1, seenAtMs, memoryBytes: 1 },
    ...{ subscribers: 0, framesPerSecond: 0, gateway: null, config: null },
    spool: spool && { ...spool, quarantined: 0, writable: true },
  };
}

describe("H13: how far sums are settled", () => {
  it("is the value of the gateway furthest behind", () => {
    const idle = gateway(NOW - 1_000, { depth: 0, oldestAgeMs: 0 });
    expect(settledUpTo([idle], NOW)).toEqual({ atMs: NOW - 1_000, lagMs: 0 });
    const behind = gateway(NOW - 2_000, { depth: 40, oldestAgeMs: 7_000 });
    expect(settledUpTo([idle, behind], NOW)).toEqual({ atMs: NOW - 9_000, lagMs: 7_000 });
  });

  it("gateways that report one after another do not count as lag", () => {
    const idle = [gateway(NOW - 4_900, { depth: 0, oldestAgeMs: 0 }), gateway(NOW, { depth: 0, oldestAgeMs: 0 })];
    expect(settledUpTo(idle, NOW)).toEqual({ atMs: NOW - 4_900, lagMs: 0 });
  });

  it("is held back by what a silent gateway left unsettled, but not by one that left nothing", () => {
    const idle = gateway(NOW, { depth: 0, oldestAgeMs: 0 });
    expect(settledUpTo([idle, gateway(NOW - 60_000, { depth: 0, oldestAgeMs: 0 })], NOW)).toEqual({ atMs: NOW, lagMs: 0 });
    const left = gateway(NOW - 60_000, { depth: 1, oldestAgeMs: 5 });
    expect(settledUpTo([idle, left], NOW)).toEqual({ atMs: NOW - 60_005, lagMs: 60_005 });
  });

  it("is not known before a gateway has said so", () => {
    expect(settledUpTo([], NOW)).toBeNull();
    expect(settledUpTo([gateway(NOW, null)], NOW)).toBeNull();
  });
});
