import { clientKey, configure } from "@sluice/testing/config-file";
import { until } from "@sluice/testing/deadline";
import { type MailSink, startMailSink } from "@sluice/testing/mail-sink";
import { callModel } from "@sluice/testing/model-client";
import { freePort } from "@sluice/testing/ports";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import { makeDataDir, type ServerProcess, startServer, type TestDataDir } from "@sluice/testing/server-process";
import { startWebhookSink, type WebhookSink } from "@sluice/testing/webhook-sink";
import { startUpstream, type Upstream } from "@sluice/upstream/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ConsoleClient, openConsole } from "./console-client.ts";

let database: TestDatabase;
let redis: TestRedis;
let upstream: Upstream;
let hook: WebhookSink;
let mail: MailSink;
let dirs: TestDataDir[];
let env: Record<string, string>;
/** Two processes with every role, connected only by Redis and PostgreSQL. */
let a: ServerProcess;
let b: ServerProcess;
let admin: ConsoleClient;

beforeAll(async () => {
  [database, redis, upstream, hook, mail] = await Promise.all([
    ...([createTestDatabase(), startTestRedis(), startUpstream()] as const),
    ...([startWebhookSink(), startMailSink()] as const),
  ]);
  dirs = [makeDataDir(), makeDataDir()];
  env = {
    ...{ DATABASE_URL: database.url, REDIS_URL: redis.url, SLUICE_SECRET: "one-secret-for-both-machines" },
    ...(await configure(dirs[0]?.path ?? "", upstream, {
      providers: [
        {
          ...{ name: "only", dialect: "anthropic", secret: "sk-upstream-0001" },
          modelRedirects: { "claude-good": "claude-good@plain,6", "claude-bad": "claude-bad@error-before" },
        },
      ],
      models: ["claude-good", "claude-bad"],
      keys: [{ name: "caller", key: clientKey }],
    })),
    SLUICE_ALLOW_PRIVATE_UPSTREAMS: "127.0.0.1",
  };
  [a, b] = [await start(0), await start(1)];
  admin = await openConsole(a.url);
});
afterAll(async () => {
  await Promise.all([a?.stop("SIGKILL"), b?.stop("SIGKILL")]);
  await Promise.all([upstream?.stop(), hook?.stop(), mail?.stop()]);
  await Promise.all([redis?.stop(), database?.drop()]);
  for (const dir of dirs ?? []) await dir.remove();
});

/** Only one process reads the configuration file. */
async function start(index: 0 | 1): Promise<ServerProcess> {
  const { SLUICE_CONFIG, ...others } = env;
  const config: Record<string, string> = index === 0 && SLUICE_CONFIG ? { SLUICE_CONFIG } : {};
  return startServer({ dataDir: dirs[index]?.path ?? "", port: await freePort(), env: { ...others, ...config } });
}

async function calls(count: number, model: "claude-good" | "claude-bad"): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, (_, i) => callModel((i % 2 ? a : b).url, { dialect: "anthropic", model, stream: false, key: clientKey })),
  );
}

const told = () => hook.received.map(({ body }) => (JSON.parse(body) as { type: string }).type);

describe("P42 two instances, a real breach", () => {
  it("too few requests report nothing; enough report once by webhook and once by mail, and once more when it is over", async () => {
    const { channel } = await admin.api.alerts.createChannel.mutate({ kind: "webhook", name: "Hook", config: { url: hook.url } });
    const mailbox = await admin.api.alerts.createChannel.mutate({
      ...{ kind: "email", name: "Mail" },
      config: {
        ...{ host: "127.0.0.1", port: mail.port, security: "none", user: "" },
        ...{ from: "sluice@example.test", to: ["on-call@example.test"] },
      },
    });
    const rule = { kind: "error_rate", threshold: 50, minimumRequests: 8, windowMinutes: 60, resolveAfterSeconds: 0 } as const;
    const channelIds = [channel.id, mailbox.channel.id];
    await admin.api.alerts.createRule.mutate({ ...rule, name: "Errors", channelIds });
    // Fires at the first evaluation, which shows that the other rule was evaluated as well.
    await admin.api.alerts.createRule.mutate({ kind: "cost", name: "Looked at", threshold: 0.000_000_001 });
    await calls(2, "claude-bad");
    await calls(1, "claude-good");
    const names = async () => (await admin.api.alerts.open.query()).map(({ ruleName }) => ruleName);
    await until(async () => (await names()).length > 0, { what: "a rule was looked at", deadlineMs: 60_000, everyMs: 100 });
    expect(await names()).toEqual(["Looked at"]);

    await calls(8, "claude-bad");
    await until(() => told().length > 0 && mail.received.length > 0, { what: "the breach is told", deadlineMs: 60_000, everyMs: 50 });
    await calls(30, "claude-good");
    await until(() => told().length > 1 && mail.received.length > 1, { what: "its end is told", deadlineMs: 60_000, everyMs: 50 });
    expect(told()).toEqual(["alert.fired", "alert.resolved"]);
    expect(mail.received.map(({ to, source }) => [to, /^Subject: (.*)$/m.exec(source)?.[1]?.slice(0, 17)])).toEqual([
      [["on-call@example.test"], "[Sluice] Alert (w"],
      [["on-call@example.test"], "[Sluice] Resolved"],
    ]);
  }, 180_000);

  it("a message whose sender is killed before it is answered is sent by the next one, as the same message", async () => {
    hook.received.length = 0;
    hook.answers("never");
    const [channel] = (await admin.api.alerts.channels.query()).filter(({ kind }) => kind === "webhook");
    await admin.api.alerts.createRule.mutate({ kind: "cost", name: "Spent", threshold: 0.000_000_001, channelIds: [channel?.id ?? ""] });
    await until(() => hook.received.length > 0, { what: "a message is on its way", deadlineMs: 60_000, everyMs: 20 });
    await Promise.all([a.stop("SIGKILL"), b.stop("SIGKILL")]);
    hook.answers(200);
    a = await start(0);
    await until(() => hook.received.length > 1, { what: "it is sent again", deadlineMs: 60_000, everyMs: 50 });
    const console = await openConsole(a.url);
    const delivery = async () => (await console.api.alerts.open.query()).find(({ ruleName }) => ruleName === "Spent")?.deliveries[0];
    await until(async () => (await delivery())?.state === "delivered", { what: "it is noted", deadlineMs: 30_000, everyMs: 50 });
    expect(new Set(hook.received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    expect(hook.received).toHaveLength(2);
  }, 180_000);
});
