import { beforeAll, describe, expect, it } from "vitest";
import { gatewayReport } from "./gateway/gateway-report.ts";
import { type GatewayPlan, sampleGateway } from "./gateway.ts";
import type { Metric } from "./report.ts";

/** So short that the figures mean nothing; the test checks that all of them exist and come from real requests. */
const plan: GatewayPlan = {
  rounds: 3,
  turns: 1,
  shapeTurns: 1,
  warmMs: 200,
  shapeWarmMs: 50,
  ms: 250,
  shapeMs: 150,
  rate: 200,
  streamsBefore: 20,
  streams: 20,
  streamBatches: 1,
  heldMs: 0,
};

describe("A29: the benchmark of the gateway runs with the tests", () => {
  let metrics: Record<string, Metric>;
  let targets: string[];
  beforeAll(async () => {
    const report = gatewayReport(await sampleGateway(plan), plan);
    metrics = report.metrics;
    targets = Object.keys(report.targets);
  }, 240_000);

  const median = (name: string): number => metrics[name]?.median ?? Number.NaN;

  it("A24: requests are POSTs, sent both as fast as answers arrive and at an open-loop rate", () => {
    expect(median("perSecondInProcess")).toBeGreaterThan(0);
    expect(median("fixedRatePerSecond")).toBe(plan.rate);
  });

  it("R28: bodies are of two sizes, and answered whole and as a stream", () => {
    for (const shape of ["Json1kUnlimited", "Sse1k", "Json76k", "Sse76k"]) expect(median(`perSecond${shape}`)).toBeGreaterThan(0);
    expect(median("addedFirstByteMsP50Sse1k")).not.toBeNaN();
  });

  it("A27: every compared figure comes from three alternating rounds and is reported with its median and spread", () => {
    for (const name of ["perSecondPassThrough", "perSecondInProcess", "ratioInProcess", "ratioSse76k"]) {
      const { rounds = [], median, min, max } = metrics[name] ?? {};
      expect(rounds, name).toHaveLength(3);
      expect([...rounds].sort((a, b) => a - b)).toEqual([min, median, max]);
    }
  });

  it("R23: overhead is what the gateway adds to bare pass-through at the fixed rate, p50, p95 and p99", () => {
    for (const name of ["addedMsP50InProcess", "addedMsP95InProcess", "addedMsP99InProcess"]) expect(median(name)).not.toBeNaN();
  });

  it("R24: there is less than one statement per request, and requests/s and memory are reported", () => {
    expect(median("settlesPerRequestInProcess")).toBeGreaterThan(0);
    expect(median("settlesPerRequestInProcess")).toBeLessThan(1);
    expect(median("residentMbInProcess")).toBeGreaterThan(50);
  });

  it("R25: CPU at the rate, bytes written to the WAL and waits for locks are reported", () => {
    expect(median("cpuPercentAtFixedRateInProcess")).toBeGreaterThan(0);
    expect(median("walBytesPerRequestInProcess")).toBeGreaterThan(100);
    expect(median("lockWaitMsPerRequestInProcess")).toBeGreaterThanOrEqual(0);
  });

  it("R26: batches send PostgreSQL at most a fifth of the statements of committing each row before its answer", () => {
    expect(median("settlesPerRequestDirect")).toBe(1);
    expect(median("settlesPerRequestInProcess")).toBeLessThanOrEqual(0.2);
  });

  it("names a target only for what it measures", () => {
    expect(targets.filter((name) => Number.isNaN(median(name)))).toEqual([]);
  });
});
