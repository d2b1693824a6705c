import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, type ProviderSpec, startHarness } from "./harness.ts";
import { startRawProvider } from "./raw-provider.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({ settings: { "breaker.failures": 5, "pricing.unknownModel": "record" } });
});
afterAll(() => harness?.close());

let conversations = 0;
/** A separate conversation, bound to no provider. */
const bodyOf = (model: string, stream = false) => ({
  ...{ model, max_tokens: 100, stream },
  messages: [{ role: "user", content: `hi ${conversations++}` }],
});

async function ask(key: string, model: string, stream = false) {
  const response = await harness.call("/v1/messages", { body: bodyOf(model, stream), key });
  const text = await response.text();
  return { response, text, ...(await harness.settled(response.headers.get("x-request-id") ?? "")) };
}

const anthropic = (spec: Partial<ProviderSpec> = {}): ProviderSpec => ({ dialect: "anthropic", secret: "sk-good", ...spec });

/** Two hours that begin `hours` from now. */
function hoursFromNow(hours: number) {
  const time = (ms: number) => new Date(ms).toISOString().slice(11, 16);
  const from = Date.now() + hours * 3_600_000;
  return { zone: "UTC", windows: [{ from: time(from), to: time(from + 7_200_000) }] };
}

describe("models by pattern", () => {
  it("takes what its patterns take, sends the first redirect that matches, and lists the priced ones", async () => {
    const { key, providerIds } = await harness.group([
      anthropic({ models: ["/^gpt-/"], priority: 0 }),
      anthropic({
        models: ["claude-fake"],
        modelRedirects: [
          { from: "*-mini", to: "claude-fake@plain,3" },
          { from: "claude-x*", to: "claude-fake@plain,5" },
        ],
        priority: 1,
      }),
    ]);
    expect((await ask(key, "claude-xl-mini")).detail.attempts).toMatchObject([
      { providerId: providerIds[1], upstreamModel: "claude-fake@plain,3" },
    ]);
    expect((await ask(key, "claude-xl")).detail.attempts).toMatchObject([{ upstreamModel: "claude-fake@plain,5" }]);
    expect((await ask(key, "gpt-5")).row.providerId).toBe(providerIds[0]);
    expect((await harness.call("/v1/messages", { body: bodyOf("other"), key })).status).toBe(404);
    const list = (await (
      await harness.call("/v1/models", { method: "GET", key, headers: { "anthropic-version": "2023-06-01" } })
    ).json()) as {
      data: { id: string }[];
    };
    expect(list.data.map(({ id }) => id)).toEqual(["claude-fake"]);
  });
});

describe("hours and priority by group", () => {
  it("outside its hours a provider is no candidate, and the row says when it opens", async () => {
    const later = hoursFromNow(3);
    const { key, providerIds } = await harness.group([
      anthropic({ schedule: later }),
      anthropic({ priority: 1, schedule: hoursFromNow(-1) }),
    ]);
    const { row, detail } = await ask(key, "claude-fake");
    expect(row).toMatchObject({ status: 200, providerId: providerIds[1], attempts: 1 });
    const [excluded] = detail.decision.excluded.filter(({ providerId }) => providerId === providerIds[0]);
    expect(excluded).toMatchObject({ reason: "schedule" });
    expect(new Date(excluded?.opensAtMs ?? 0).toISOString().slice(11, 16)).toBe(later.windows[0]?.from);
  });

  it("when all are outside their hours the client is told when the first opens", async () => {
    const { key } = await harness.group([anthropic({ schedule: hoursFromNow(3) })]);
    const response = await harness.call("/v1/messages", { body: bodyOf("claude-fake"), key });
    expect(response.status).toBe(503);
    const seconds = Number(response.headers.get("retry-after"));
    expect(seconds).toBeGreaterThan(3 * 3_600 - 120);
    expect(seconds).toBeLessThanOrEqual(3 * 3_600);
  });

  it("its priority in the key's group takes precedence over its general one", async () => {
    const { key, group, providerIds } = await harness.group([anthropic({ priority: 1 }), anthropic({ priority: 5 })]);
    const second = providerIds[1] ?? "";
    expect((await ask(key, "claude-fake")).row.providerId).toBe(providerIds[0]);
    await harness.database.prisma.provider.update({ where: { id: second }, data: { groupPriorities: { [group]: 0 } } });
    await harness.snapshot.refresh();
    const { row, detail } = await ask(key, "claude-fake");
    expect(row.providerId).toBe(second);
    expect(detail.decision.candidates[0]).toMatchObject({ providerId: second, priority: 0 });
  });
});

describe("timeouts and breakers of its own", () => {
  it("a first content that takes longer than this provider may fails over", async () => {
    const slow = anthropic({ secret: "sk@late,5000", timeouts: { firstContentMs: 200 } });
    const { key } = await harness.group([slow, anthropic({ priority: 1 })]);
    const { detail, row } = await ask(key, "claude-fake");
    expect(row).toMatchObject({ status: 200, attempts: 2 });
    expect(detail.attempts[0]).toMatchObject({ outcome: "failed", errorCode: "upstream_timeout" });
  });

  it("an answer that takes longer in all than this provider may ends, in a stream by an error", async () => {
    const slow = anthropic({ secret: "sk@plain,400+slow,100", timeouts: { totalMs: 1_000 } });
    const { key } = await harness.group([slow]);
    const { text, row, detail } = await ask(key, "claude-fake", true);
    expect(text).toContain("event: error");
    expect(text).not.toContain("message_stop");
    expect(row).toMatchObject({ state: "error", errorCode: "upstream_timeout" });
    expect(detail.attempts[0]?.firstContentMs).not.toBeNull();
  });

  it("two failures open the breaker of a provider configured for two, while the others use the settings", async () => {
    const { key, providerIds } = await harness.group([
      anthropic({ secret: "sk@error-before", breaker: { failures: 2 } }),
      anthropic({ secret: "sk@error-before", priority: 1 }),
      anthropic({ priority: 2 }),
    ]);
    for (let i = 0; i < 3; i++) await ask(key, "claude-fake");
    const states = providerIds.map((id) => harness.admission.breakers.stateOf(id, "claude-fake"));
    expect(states).toEqual(["open", "closed", "closed"]);
  });
});

describe("several credentials", () => {
  const coolDownOf = (providerId = "") => harness.admission.coolDowns.list().filter((one) => one.providerId === providerId);

  it.each([
    ["401", "sk-upstream-aaaaaaaa@auth", 300],
    ["429 with Retry-After", "sk-upstream-aaaaaaaa@rate-limited,7200", 1_800],
  ])(
    "one that is refused with %s is replaced by the next of the same provider, and left alone for a while",
    async (_what, secret, seconds) => {
      const { key, providerIds } = await harness.group([
        anthropic({ secret, credentials: [{ label: "spare", secret: "sk-spare" }], breaker: { failures: 1 } }),
        anthropic({ priority: 1 }),
      ]);
      const first = await ask(key, "claude-fake");
      expect(first.row).toMatchObject({ status: 200, providerId: providerIds[0], attempts: 2 });
      expect(first.detail.attempts.map(({ credential, outcome }) => [credential, outcome])).toEqual([
        ["main", "failed"],
        ["spare", "ok"],
      ]);
      const [cooling, ...others] = coolDownOf(providerIds[0]);
      expect([cooling?.label, others]).toEqual(["main", []]);
      const leftS = ((cooling?.untilMs ?? 0) - Date.now()) / 1_000;
      expect(leftS).toBeGreaterThan(seconds - 60);
      expect(leftS).toBeLessThanOrEqual(seconds);
      // The provider has not failed: its breaker, which one failure would open, is closed.
      expect(harness.admission.breakers.stateOf(providerIds[0] ?? "", "claude-fake")).toBe("closed");
      const second = await ask(key, "claude-fake");
      expect(second.detail.attempts.map(({ credential }) => credential)).toEqual(["spare"]);
      expect(JSON.stringify([first.detail, second.detail, coolDownOf()])).not.toContain("sk-");
    },
  );

  it("when all are refused the next provider serves", async () => {
    const { key, providerIds } = await harness.group([
      anthropic({ secret: "sk@auth", credentials: [{ label: "spare", secret: "sk@auth" }] }),
      anthropic({ priority: 1 }),
    ]);
    const { row, detail } = await ask(key, "claude-fake");
    expect(row).toMatchObject({ status: 200, providerId: providerIds[1], attempts: 3 });
    expect(detail.attempts.map(({ credential }) => credential)).toEqual(["main", "spare", undefined]);
  });
});

describe("headers of its own", () => {
  it("are sent to the provider, in place of the client's, beside its credential", async () => {
    const raw = await startRawProvider((res) => res.writeHead(500).end());
    try {
      const { key } = await harness.group([anthropic({ baseUrl: raw.url, headers: { "x-team": "blue", "user-agent": "sluice" } })]);
      await ask(key, "claude-fake");
      expect(raw.received[0]?.headers).toMatchObject({ "x-team": "blue", "user-agent": "sluice", "x-api-key": "sk-good" });
    } finally {
      await raw.close();
    }
  });

  it("are not shown to a client when the provider repeats them in an error and their names suggest a secret", async () => {
    const raw = await startRawProvider((res, { headers }) =>
      res
        .writeHead(400, { "content-type": "application/json" })
        .end(JSON.stringify({ error: { message: `Bad: ${JSON.stringify(headers)}` } })),
    );
    try {
      const headers = { "x-edge-token": "edge-token-0f81", "x-department": "engineering" };
      const { key } = await harness.group([anthropic({ baseUrl: raw.url, headers })]);
      const { response, text, detail } = await ask(key, "claude-fake");
      expect(response.status).toBe(400);
      for (const told of [text, JSON.stringify(detail)]) {
        expect(told).toContain("engineering");
        expect(told).not.toContain("edge-token-0f81");
        expect(told).not.toContain("sk-good");
      }
    } finally {
      await raw.close();
    }
  });
});
