import { until } from "@sluice/testing/deadline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, startHarness } from "./harness.ts";
import { anthropicStart, anthropicText, startRawProvider } from "./raw-provider.ts";

/** Requests that are ended from outside, while their provider would go on forever. */
const dialects = {
  anthropic: {
    path: "/v1/messages",
    body: { model: "claude-fake", max_tokens: 100, stream: true, messages: [{ role: "user", content: "hi" }] },
  },
  openai: { path: "/v1/chat/completions", body: { model: "fake-plain", stream: true, messages: [{ role: "user", content: "hi" }] } },
  gemini: {
    path: "/v1beta/models/gemini-fake:streamGenerateContent?alt=sse",
    body: { contents: [{ role: "user", parts: [{ text: "hi" }] }] },
  },
} as const;
type Dialect = keyof typeof dialects;

/** What a provider of the dialect sends first: content, and no end. */
const beginnings: Record<Dialect, string> = {
  anthropic: anthropicStart + anthropicText("hello there, this is content"),
  openai: `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", model: "fake-plain", choices: [{ index: 0, delta: { content: "hello there" } }] })}\n\n`,
  gemini: `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text: "hello there" }], role: "model" } }], modelVersion: "gemini-fake" })}\n\n`,
};

let harness: Harness;
const providers = new Map<Dialect, Awaited<ReturnType<typeof startRawProvider>>>();

beforeAll(async () => {
  harness = await startHarness();
  for (const dialect of Object.keys(dialects) as Dialect[]) {
    providers.set(
      dialect,
      await startRawProvider((res) => {
        res.writeHead(200, { "content-type": "text/event-stream" }).write(beginnings[dialect]);
      }),
    );
  }
});
afterAll(async () => {
  await harness.close();
  for (const provider of providers.values()) await provider.close();
});

interface Running {
  id: string;
  keyId: string;
  providerIds: string[];
  key: string;
  /** Everything the client receives. */
  text: Promise<string>;
}

/** A stream whose first content has reached the client. */
async function begin(
  dialect: Dialect,
  {
    headers = {},
    keyFields = {},
    of,
  }: { headers?: Record<string, string>; keyFields?: Parameters<Harness["group"]>[1]; of?: Running } = {},
): Promise<Running> {
  const url = providers.get(dialect)?.url ?? "";
  const made = of ?? (await harness.group([{ dialect, baseUrl: dialect === "openai" ? `${url}/v1` : url }], keyFields));
  const { path, body } = dialects[dialect];
  const response = await harness.call(path, { body, key: made.key, headers });
  expect(response.status).toBe(200);
  const id = response.headers.get("x-request-id") ?? "";
  await until(async () => (await harness.live.registry.find(id))?.row.ttftMs != null, { what: "first content" });
  const { key, keyId, providerIds } = made;
  return { id, key, keyId, providerIds, text: response.text() };
}

const abandoned = (dialect: Dialect) => providers.get(dialect)?.abandoned ?? 0;

describe("a cancelled request", () => {
  it.each(Object.keys(dialects) as Dialect[])("ends with an error inside the stream, billed for what passed (%s)", async (dialect) => {
    const before = abandoned(dialect);
    const running = await begin(dialect);
    const other = await begin(dialect, { of: running });
    await harness.live.commands.send({ kind: "request.cancel", requestId: running.id });
    const text = await running.text;
    expect(text).toContain(beginnings[dialect].slice(0, 40));
    expect(text).toMatch(/cancelled/i);
    expect(text).toContain("The request was cancelled.");
    const { row, detail } = await harness.settled(running.id);
    expect(row).toMatchObject({ state: "error", errorCode: "cancelled", status: 200, flags: ["estimated", "partial"] });
    expect(row.usage.output).toBeGreaterThan(0);
    expect(Number(row.costNanoUsd)).toBeGreaterThan(0);
    expect(detail.attempts).toMatchObject([{ outcome: "aborted", errorCode: "" }]);
    await until(() => abandoned(dialect) === before + 1, { what: "the provider is let go" });
    expect((await harness.live.registry.find(other.id))?.row.state, "another request of the key goes on").toBe("in_flight");
    await harness.live.commands.send({ kind: "request.cancel", requestId: other.id });
    await other.text;
  });

  it("that has sent nothing yet gets an answer of its own, which clients do not try again", async () => {
    const provider = await startRawProvider(() => undefined);
    const { key } = await harness.group([{ dialect: "anthropic", baseUrl: provider.url }]);
    const response = harness.call("/v1/messages", { body: { ...dialects.anthropic.body, stream: false }, key });
    await until(() => provider.received.length === 1, { what: "the provider is asked" });
    const [row] = await harness.live.registry.list();
    await harness.live.commands.send({ kind: "request.cancel", requestId: row?.id ?? "" });
    const answer = await response;
    expect(answer.status).toBe(499);
    expect(await answer.json()).toMatchObject({ type: "error", error: { code: "cancelled", retryable: false } });
    expect((await harness.settled(row?.id ?? "")).row).toMatchObject({ state: "error", errorCode: "cancelled", costNanoUsd: "0" });
    await provider.close();
  });
});

it("a terminated session loses all of its streams, no other's, and its provider", async () => {
  const session = { "x-session-id": "conversation-1" };
  const one = await begin("openai", { headers: session });
  const [row] = (await harness.live.registry.list()).filter(({ id }) => id === one.id);
  const sessionId = row?.sessionId ?? "";
  expect(sessionId).not.toBe("");
  const two = await begin("openai", { of: one, headers: session });
  const other = await begin("openai", { of: one, headers: { "x-session-id": "conversation-2" } });
  expect(await harness.admission.sticky.find(sessionId)).toBe(one.providerIds[0]);
  await harness.live.commands.send({ kind: "session.terminate", sessionId });
  for (const { text, id } of [one, two]) {
    expect(await text).toContain("This session was terminated.");
    expect((await harness.settled(id)).row).toMatchObject({ state: "error", errorCode: "cancelled" });
  }
  expect(await harness.admission.sticky.find(sessionId)).toBeNull();
  expect((await harness.live.registry.find(other.id))?.row.state).toBe("in_flight");
  const next = await begin("openai", { of: one, headers: session });
  await harness.live.commands.send({ kind: "key.cut", keyId: one.keyId });
  await Promise.all([other.text, next.text]);
  expect((await harness.settled(next.id)).detail.decision.chosenBy).not.toBe("sticky");
});

describe("a running stream is closed", () => {
  /** Changes made in the console, as they appear in the configuration. */
  const losses = {
    "when its key is revoked": {
      code: "invalid_key",
      change: (id: string) => harness.database.prisma.key.update({ where: { id }, data: { revokedAt: new Date() } }),
    },
    "when its key is disabled": {
      code: "key_disabled",
      change: (id: string) => harness.database.prisma.key.update({ where: { id }, data: { disabledAt: new Date() } }),
    },
    "when its key's end is moved into the past": {
      code: "key_expired",
      change: (id: string) => harness.database.prisma.key.update({ where: { id }, data: { expiresAt: new Date(1) } }),
    },
    "when its key's owner is disabled": {
      code: "user_disabled",
      change: async (id: string) => {
        const { userId } = await harness.database.prisma.key.findUniqueOrThrow({ where: { id } });
        await harness.database.prisma.user.update({ where: { id: userId }, data: { disabledAt: new Date() } });
      },
    },
  };
  it.each(Object.entries(losses))("%s, without a command", async (_title, { code, change }) => {
    const running = await begin("anthropic");
    await change(running.keyId);
    await harness.database.prisma.configVersion.updateMany({ data: { version: { increment: 1n } } });
    await harness.snapshot.refresh();
    expect(await running.text).toContain(`"${code}"`);
    expect((await harness.settled(running.id)).row).toMatchObject({ state: "error", errorCode: code });
  });

  it("when its key expires, though nothing changes", async () => {
    const running = await begin("anthropic", { keyFields: { expiresAt: new Date(Date.now() + 2_000) } });
    expect(await running.text).toContain('"key_expired"');
  });

  it("not when something else of the configuration changes", async () => {
    const running = await begin("anthropic");
    await harness.group([{ dialect: "anthropic", baseUrl: "http://127.0.0.1:9" }]);
    expect((await harness.live.registry.find(running.id))?.row.state).toBe("in_flight");
    await harness.live.commands.send({ kind: "request.cancel", requestId: running.id });
    expect(await running.text).toContain('"cancelled"');
  });
});
