import { SluiceError } from "@sluice/core/errors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, startHarness } from "./harness.ts";

let harness: Harness;
let failing: "start" | "finish" | "progress" | null = null;
beforeAll(async () => {
  harness = await startHarness({
    wrapLedger: (ledger) => ({
      start: (record) => (failing === "start" ? Promise.reject(new SluiceError("spool_unavailable")) : ledger.start(record)),
      finish: (record) => (failing === "finish" ? Promise.reject(new SluiceError("spool_unavailable")) : ledger.finish(record)),
      progress: (record) => {
        if (failing === "progress") throw new Error("scripted");
        ledger.progress(record);
      },
      refuse: (record) => ledger.refuse(record),
      onSettled: (listener) => ledger.onSettled(listener),
      unsettled: () => ledger.unsettled(),
      stats: () => ledger.stats(),
      close: (options) => ledger.close(options),
    }),
  });
});
afterAll(() => harness.close());

const body = { model: "claude-fake", max_tokens: 100, messages: [{ role: "user", content: "hi" }] };

describe("when the spool cannot be written", () => {
  it("nothing goes upstream", async () => {
    failing = "start";
    const before = harness.upstreamCalls();
    for (const stream of [false, true]) {
      const response = await harness.call("/v1/messages", { body: { ...body, stream } });
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({ error: { code: "spool_unavailable" } });
    }
    expect(harness.upstreamCalls()).toBe(before);
  });

  it("no client sees a proper end of what is not recorded, and nothing stays in flight", async () => {
    failing = "finish";
    const before = harness.gateway.stats().unrecorded;
    const whole = await harness.call("/v1/messages", { body });
    expect(whole.status).toBe(503);
    const stream = await harness.call("/v1/messages", { body: { ...body, stream: true } });
    expect(stream.status).toBe(200);
    const text = await stream.text();
    expect(text).not.toContain("message_stop");
    expect(text).toMatch(/event: error\ndata: \{.*"spool_unavailable".*\}\n\n$/);
    expect(harness.gateway.stats().unrecorded).toBe(before + 2);
    expect(harness.live.registry.inFlight()).toBe(0);
    expect(await harness.live.registry.find(stream.headers.get("x-request-id") ?? "")).toBeNull();
  });
});

it("a defect in the middle of a stream ends that stream only", async () => {
  failing = "progress";
  const stream = await harness.call("/v1/messages", { body: { ...body, stream: true } });
  expect(await stream.text()).toMatch(/event: error\ndata: \{.*"internal".*\}\n\n$/);
  failing = null;
  expect((await harness.call("/v1/messages", { body })).status).toBe(200);
  const { row } = await harness.settled(stream.headers.get("x-request-id") ?? "");
  expect(row).toMatchObject({ state: "error", errorCode: "internal" });
});
