import { readFile } from "node:fs/promises";
import { clientKey } from "@sluice/testing/config-file";
import { until } from "@sluice/testing/deadline";
import { callModel } from "@sluice/testing/model-client";
import { freePort } from "@sluice/testing/ports";
import type { ServerProcess } from "@sluice/testing/server-process";
import { describe, expect, it } from "vitest";
import { parsePrometheus } from "./prometheus-text.ts";
import { useServers } from "./servers.ts";

const servers = useServers();
const token = "a-token-of-some-length";
const quick = { dialect: "anthropic", model: "claude-quick", stream: false, key: clientKey } as const;

async function scrape(server: ServerProcess) {
  const answer = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  return parsePrometheus(await answer.text());
}

/** One figure of the ledger, by its name without the prefix. */
async function figure(server: ServerProcess, name: string): Promise<number> {
  const full = `sluice_ledger_${name}`;
  const family = (await scrape(server)).get(full.replace(/_(count|sum)$/, ""));
  return family?.samples.find((sample) => sample.name === full)?.value ?? Number.NaN;
}

describe("the ledger's metrics change with what they count", () => {
  it("flushes, rows and the two durations with every request; depth and age while PostgreSQL is held up", async () => {
    const server = await servers.startPlain({ SLUICE_METRICS_TOKEN: token });
    const names = ["flushes_total", "rows_total", "settle_duration_seconds_count", "fsync_duration_seconds_count"];
    for (const name of names) expect(await figure(server, name)).toBe(0);
    await callModel(server.url, quick);
    await until(async () => (await figure(server, "rows_total")) === 1, { what: "the row is counted" });
    for (const name of names) expect(await figure(server, name)).toBeGreaterThan(0);
    expect(await figure(server, "settle_duration_seconds_sum")).toBeGreaterThan(0);
    expect(await figure(server, "writable")).toBe(1);

    const client = await servers.database.pool.connect();
    try {
      await client.query("BEGIN; LOCK TABLE requests IN ACCESS EXCLUSIVE MODE");
      await callModel(server.url, quick);
      await until(async () => (await figure(server, "depth")) === 1, { what: "the record waits" });
      await until(async () => (await figure(server, "oldest_age_seconds")) > 0, { what: "it grows older" });
    } finally {
      await client.query("ROLLBACK");
      client.release();
    }
    await until(async () => (await figure(server, "depth")) === 0, { what: "it is settled" });
    expect(await figure(server, "rows_total")).toBe(2);
    expect(await figure(server, "oldest_age_seconds")).toBe(0);
  });

  it("failures with a batch that cannot be committed, quarantined with a record that is refused", async () => {
    const server = await servers.startPlain({ SLUICE_METRICS_TOKEN: token });
    const { pool } = servers.database;
    await pool.query("ALTER TABLE key_totals RENAME TO key_totals_away");
    await callModel(server.url, quick);
    await until(async () => (await figure(server, "failures_total")) > 0, { what: "the failure is counted" });
    await pool.query("ALTER TABLE key_totals_away RENAME TO key_totals");
    await until(async () => (await figure(server, "rows_total")) === 1, { what: "it is settled after all" });

    await pool.query("ALTER TABLE requests ADD CONSTRAINT refused_here CHECK (model <> 'claude-quick') NOT VALID");
    await callModel(server.url, quick);
    await until(async () => (await figure(server, "quarantined_total")) === 1, { what: "the record is in the quarantine" });
    await pool.query("ALTER TABLE requests DROP CONSTRAINT refused_here");
    expect(await figure(server, "depth")).toBe(0);
  });

  it("recovered, with a request that a kill interrupted", async () => {
    const dataDir = servers.newDataDir();
    const env = { ...(await servers.configured(dataDir)), ...servers.shared(), REDIS_URL: "none", SLUICE_METRICS_TOKEN: token };
    const first = await servers.start({ dataDir, port: await freePort(), env });
    // The response head is sent with the first content: by then the request has begun in the spool.
    const answer = await fetch(`${first.url}/v1/messages`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-api-key": clientKey },
      body: JSON.stringify({ model: "claude-endless", max_tokens: 100, stream: true, messages: [{ role: "user", content: "Hello" }] }),
    });
    expect(answer.status).toBe(200);
    await first.stop("SIGKILL");
    await answer.text().catch(() => undefined);
    const second = await servers.start({ dataDir, port: await freePort(), env });
    expect(await figure(second, "recovered_total")).toBe(1);
  });

  it("every name is documented with its type, and nothing else is", async () => {
    const server = await servers.startPlain({ SLUICE_METRICS_TOKEN: token });
    const document = await readFile(new URL("../../../docs/metrics.md", import.meta.url), "utf8");
    const told = [...document.matchAll(/^\| (`[^|]+) \| ([a-z, ]+) \|/gm)].flatMap(([, names = "", types = ""]) => {
      const [first, ...others] = types.split(", ");
      return [...names.matchAll(/`([^`]+)`/g)].map(([, name], at) => [name, at === 0 ? first : (others[at - 1] ?? first)]);
    });
    const ours = [...(await scrape(server))].filter(([name]) => !/^(process|nodejs)_/.test(name)).map(([name, { type }]) => [name, type]);
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(ours));
  });
});
