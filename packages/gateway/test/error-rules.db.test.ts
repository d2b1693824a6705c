import type { ErrorRule } from "@sluice/core/inputs/error-rules";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, type ProviderSpec, startHarness } from "./harness.ts";

const rule = (fields: Partial<ErrorRule> & Pick<ErrorRule, "name" | "action">): ErrorRule => ({
  ...{ statuses: [], body: "", providers: [], dialects: [], status: null, message: "" },
  ...fields,
});

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({
    settings: {
      "breaker.failures": 0,
      "upstream.errorRules": [
        rule({ name: "Region", statuses: [400], body: "scripted: 400", dialects: ["anthropic"], action: "failover" }),
        rule({ name: "Flaky", statuses: [503], action: "retry" }),
        rule({
          name: "Policy",
          statuses: [403, 500],
          body: "/scripted: (403|5\\d\\d)/",
          action: "answer",
          status: 451,
          message: "Not here.",
        }),
        rule({ name: "Renamed", statuses: [504], action: "failover", status: 502, message: "Ask again tomorrow." }),
        rule({ name: "Overloaded inside", body: "Scripted: overloaded", action: "answer", status: 503, message: "Later." }),
      ],
    },
  });
});
afterAll(() => harness.close());

const anthropic = (secret: string, priority = 0): ProviderSpec => ({ dialect: "anthropic", secret, priority });
const good = anthropic("sk-good", 1);

async function ask(specs: readonly ProviderSpec[], { path = "/v1/messages", model = "claude-fake", stream = false } = {}) {
  const { key } = await harness.group(specs);
  const body = { model, max_tokens: 100, stream, messages: [{ role: "user", content: "hi" }] };
  const response = await harness.call(path, { body, key });
  const text = await response.text();
  const settled = await harness.settled(response.headers.get("x-request-id") ?? "");
  const tried = settled.detail.attempts.map(({ outcome, rule }) => [outcome, rule?.name ?? ""]);
  return { response, text, tried, ...settled };
}

describe("an administrator's rule", () => {
  it("lets another provider serve where the status alone would end the request", async () => {
    const { response, tried } = await ask([anthropic("sk@error-before,400"), good]);
    expect(response.status).toBe(200);
    expect(tried).toEqual([
      ["failed", "Region"],
      ["ok", ""],
    ]);
  });

  it("is of its dialect and status alone", async () => {
    const openai: ProviderSpec[] = [
      { dialect: "openai", secret: "sk@error-before,400" },
      { dialect: "openai", priority: 1 },
    ];
    const other = await ask(openai, { path: "/v1/chat/completions", model: "fake-plain" });
    expect(other.response.status).toBe(400);
    expect(other.tried).toEqual([["failed", ""]]);
    expect((await ask([anthropic("sk@error-before,422"), good])).response.status).toBe(422);
  });

  it("asks the same provider once more, as often as attempts are allowed", async () => {
    const everySecond = [anthropic("sk@flaky,every=2"), good];
    expect((await ask(everySecond)).tried).toEqual([["ok", ""]]);
    const once = await ask(everySecond);
    expect(once.tried).toEqual([
      ["failed", "Flaky"],
      ["ok", ""],
    ]);
    expect(once.detail.attempts[0]?.providerId).toBe(once.detail.attempts[1]?.providerId);
    const again = await ask([anthropic("sk-twice@error-before,status=503"), good]);
    expect(again.response.status).toBe(503);
    expect(again.tried).toEqual([
      ["failed", "Flaky"],
      ["failed", "Flaky"],
      ["failed", "Flaky"],
    ]);
  });

  it("ends the request with a status and message of its own, in the client's dialect", async () => {
    for (const script of ["error-before,403", "error-before,500"]) {
      const { response, text, tried, row } = await ask([anthropic(`sk@${script}`), good]);
      expect(response.status).toBe(451);
      expect(JSON.parse(text)).toMatchObject({ type: "error", error: { message: "Not here." } });
      expect(tried).toEqual([["failed", "Policy"]]);
      expect(row).toMatchObject({ state: "error", status: 451, costNanoUsd: "0" });
    }
  });

  it("words what the client is told when nobody else serves", async () => {
    const { response, text } = await ask([anthropic("sk@error-before,504")]);
    expect(response.status).toBe(502);
    expect(JSON.parse(text).error.message).toBe("Ask again tomorrow.");
    expect((await ask([anthropic("sk@error-before,504"), good])).response.status).toBe(200);
  });

  it("applies to an error inside a stream before its content", async () => {
    const { response, text, tried } = await ask([anthropic("sk@error-first"), good], { stream: true });
    expect(response.status).toBe(503);
    expect(JSON.parse(text).error.message).toBe("Later.");
    expect(tried).toEqual([["failed", "Overloaded inside"]]);
  });

  it("is in force for the next request, and no longer when it is taken away", async () => {
    const name = "upstream.errorRules";
    const { value } = await harness.database.prisma.setting.findFirstOrThrow({ where: { name } });
    const put = async (rules: unknown): Promise<void> => {
      await harness.database.prisma.setting.updateMany({ where: { name }, data: { value: rules as object } });
      await harness.database.prisma.configVersion.updateMany({ data: { version: { increment: 1n } } });
      await harness.snapshot.refresh();
    };
    await put([]);
    expect((await ask([anthropic("sk@error-before,400"), good])).response.status).toBe(400);
    await put(value);
    expect((await ask([anthropic("sk@error-before,400"), good])).response.status).toBe(200);
  });
});
