import { defaultSettings } from "@sluice/core/inputs/settings";
import { type Log, silentLog } from "@sluice/core/log";
import { requestDetail, requestRow } from "@sluice/testing/factories";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createRequestLog } from "../src/request-log.ts";
import { type Harness, startHarness } from "./harness.ts";

type Line = Record<string, unknown>;
const lines: Line[] = [];
const log: Log = { ...silentLog, info: (fields) => void lines.push(fields as Line), warn: (fields) => void lines.push(fields as Line) };

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({ log, prices: ["gpt@slow,150", "gpt@plain,5"] });
});
beforeEach(() => void lines.splice(0));
afterAll(() => harness.close());

const chat = (model: string, more: object = {}) =>
  harness.call("/v1/chat/completions", { body: { model, messages: [{ role: "user", content: "a secret thought" }], ...more } });

const told = () => lines.filter(({ requestId }) => requestId !== undefined);

describe("A15 the log of a request", () => {
  it("A18 is one line at info without its body or a secret, short whatever was sent", async () => {
    const answer = await chat("gpt@plain,5", { user: "x".repeat(5 << 20) });
    expect(answer.status).toBe(200);
    await answer.text();
    await expect.poll(told).toHaveLength(1);
    expect(told()[0]).toMatchObject({ requestId: answer.headers.get("x-request-id"), model: "gpt@plain,5", state: "done", status: 200 });
    const text = JSON.stringify(lines);
    expect(text.length).toBeLessThan(2_048);
    for (const never of ["a secret thought", "xxxx", harness.key.secret, "sk-upstream"]) expect(text).not.toContain(never);
  });
});

describe("A16 logs.sampleRate", () => {
  it("0.1 logs 1,000 of 10,000 requests, and every one that failed", () => {
    const settings = { ...defaultSettings(), "logs.sampleRate": 0.1 };
    const tell = createRequestLog(log, { current: () => ({ settings }) as never });
    for (let i = 0; i < 10_000; i++) {
      tell(requestRow(), requestDetail());
      if (i % 100 === 0) tell(requestRow({ state: (["error", "refused", "aborted", "lost"] as const)[(i / 100) % 4] }), requestDetail());
    }
    const good = told().filter(({ state }) => state === "done").length;
    expect(good).toBeGreaterThanOrEqual(900);
    expect(good).toBeLessThanOrEqual(1_100);
    expect(told()).toHaveLength(good + 100);
  });
});

describe("A17 the share that is told", () => {
  it("changes with the setting, without a restart", async () => {
    const name = "logs.sampleRate";
    await harness.database.prisma.setting.create({ data: { name, value: 0 } });
    await harness.snapshot.refresh();
    for (let i = 0; i < 5; i++) await (await chat("gpt@plain,5")).text();
    expect((await harness.call("/v1/messages", { body: "{" })).status).toBe(400);
    await expect.poll(told).toHaveLength(1);
    expect(told()[0]).toMatchObject({ state: "refused", code: "invalid_json", sampleRate: 0 });
    await harness.database.prisma.setting.update({ where: { tenantId_name: { tenantId: "default", name } }, data: { value: 1 } });
    await harness.snapshot.refresh();
    await (await chat("gpt@plain,5")).text();
    await expect.poll(told).toHaveLength(2);
  });
});

describe("server-timing", () => {
  const parts = (answer: Response): Record<string, number> =>
    Object.fromEntries(
      (answer.headers.get("server-timing") ?? "").split(", ").map((part) => [part.split(";dur=")[0], Number(part.split(";dur=")[1])]),
    );

  it.each([false, true])("states the gateway's own share separately from the provider's (stream: %s)", async (stream) => {
    const answer = await chat("gpt@slow,150", { stream });
    expect(answer.status).toBe(200);
    await answer.text();
    const { gateway = Number.NaN, upstream = Number.NaN } = parts(answer);
    expect(upstream).toBeGreaterThan(100);
    expect(gateway).toBeGreaterThan(0);
  });

  it("of a refusal is the gateway's alone", async () => {
    const answer = await harness.call("/v1/messages", { body: "{" });
    expect(Object.keys(parts(answer))).toEqual(["gateway"]);
  });
});
