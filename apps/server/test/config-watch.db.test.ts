import { readFile, rename, writeFile } from "node:fs/promises";
import type { ConfigFileState } from "@sluice/core/events";
import { clientKey } from "@sluice/testing/config-file";
import { until } from "@sluice/testing/deadline";
import { callModel } from "@sluice/testing/model-client";
import type { ServerProcess } from "@sluice/testing/server-process";
import { describe, expect, it } from "vitest";
import { type ConsoleClient, openConsole, type Viewer, watch } from "./console-client.ts";
import { useServers } from "./servers.ts";

const servers = useServers();

interface File {
  prices: { model: string; inputPerMTok: string; outputPerMTok: string }[];
  settings: Record<string, unknown>;
}

/** A server with a configuration file that the test edits, and an administrator who watches. */
async function startWatched(): Promise<{ server: ServerProcess; path: string; admin: ConsoleClient; viewer: Viewer }> {
  const dataDir = servers.newDataDir();
  const { SLUICE_CONFIG: path = "", ...rest } = await servers.configured(dataDir);
  const server = await servers.startPlain({ ...rest, SLUICE_CONFIG: path });
  const admin = await openConsole(server.url);
  const viewer = watch(admin);
  servers.later(() => viewer.close());
  await until(() => viewer.frames.length > 0, { what: "the viewer is connected" });
  return { server, path, admin, viewer };
}

async function edit(path: string, change: (file: File) => void): Promise<void> {
  const file = JSON.parse(await readFile(path, "utf8")) as File;
  change(file);
  await writeFile(path, JSON.stringify(file));
}

function told(viewer: Viewer, type: "config.applied" | "config.failed"): ConfigFileState[] {
  return viewer.frames.flatMap(({ events }) => events.flatMap((event) => (event.type === type ? [event.config] : [])));
}

/** Cost and tokens of one more request. */
async function costOfNext({ url }: ServerProcess, { api }: ConsoleClient): Promise<{ nanoUsd: bigint; input: number; output: number }> {
  const { id } = await callModel(url, { dialect: "anthropic", model: "claude-quick", stream: false, key: clientKey });
  const row = await until(
    async () => (await api.logs.list.query({ filter: { requestId: id } })).items.find(({ state }) => state === "done"),
    {
      what: "the request is in the log",
    },
  );
  return { nanoUsd: BigInt(row.costNanoUsd ?? 0), input: row.usage.input, output: row.usage.output };
}

describe("A21 the configuration file is watched", () => {
  it("the next request costs by the new price; a broken edit leaves the old in force and says so everywhere", async () => {
    const { server, path, admin, viewer } = await startWatched();
    const before = await costOfNext(server, admin);
    expect(before.nanoUsd).toBe(BigInt(before.input * 3_000 + before.output * 15_000));

    await edit(path, (file) => {
      for (const price of file.prices) Object.assign(price, { inputPerMTok: "30", outputPerMTok: "150" });
      file.settings["routing.maxAttempts"] = 4;
    });
    await until(() => told(viewer, "config.applied").length > 0, { what: "the edit is applied" });
    const after = await costOfNext(server, admin);
    expect(after.nanoUsd).toBe(BigInt(after.input * 30_000 + after.output * 150_000));
    expect(await admin.api.settings.get.query()).toMatchObject({ "routing.maxAttempts": 4 });
    expect(await admin.api.settings.sources.query()).toMatchObject({ "routing.maxAttempts": { source: "config" } });

    const good = await readFile(path, "utf8");
    // A quoted value could be a secret.
    await writeFile(path, `${good.slice(0, -1)}, "providers": [{"name": "x", "secret": "sk-canary-of-a-broken-file"}]\n`);
    const [failed] = await until(() => (told(viewer, "config.failed").length > 0 ? told(viewer, "config.failed") : null), {
      what: "it is refused",
    });
    expect(failed).toMatchObject({ path, status: "failed", problems: expect.arrayContaining([expect.stringMatching(/^line \d+: /)]) });
    await writeFile(path, good.replace('"routing.maxAttempts":4', '"routing.maxAttempts":400'));
    await until(() => told(viewer, "config.failed").at(-1)?.problems[0]?.includes("settings.routing.maxAttempts"), {
      what: "the field is named",
    });
    const still = await costOfNext(server, admin);
    expect(still.nanoUsd).toBe(BigInt(still.input * 30_000 + still.output * 150_000));
    const { instances } = await admin.api.system.get.query();
    expect(instances[0]?.config).toMatchObject({ status: "failed", appliedAtMs: expect.any(Number) });
    expect(server.logLines().some(({ msg }) => String(msg).includes("could not be applied"))).toBe(true);
    expect(server.output() + JSON.stringify(viewer.frames) + JSON.stringify(instances)).not.toContain("sk-canary-of-a-broken-file");
    viewer.close();
  });

  it("by whatever way an editor writes: replaced by a new file, and away for a moment", async () => {
    const { path, admin, viewer } = await startWatched();
    const text = await readFile(path, "utf8");
    const applied = () => told(viewer, "config.applied").length;
    await writeFile(`${path}.new`, text.replace('"settings":{}', '"settings":{"breaker.failures":8}'));
    await rename(`${path}.new`, path);
    await until(() => applied() === 1, { what: "the replacement is applied" });
    expect((await admin.api.settings.get.query())["breaker.failures"]).toBe(8);

    await rename(path, `${path}~`);
    await until(() => told(viewer, "config.failed").some(({ problems }) => problems[0] === "the file is gone"), { what: "it is missed" });
    await writeFile(path, text.replace('"settings":{}', '"settings":{"breaker.failures":9}'));
    await until(() => applied() === 2, { what: "it is found again" });
    expect((await admin.api.settings.get.query())["breaker.failures"]).toBe(9);
  });
});

describe("R31 settings are rolled back under traffic", () => {
  it("one action brings them back, and the request in flight goes on to its end", async () => {
    const server = await servers.startPlain();
    const admin = await openConsole(server.url);
    await admin.api.settings.update.mutate({ "upstream.idleTimeoutMs": 30_000, "routing.maxAttempts": 5 });
    const slow = callModel(server.url, { dialect: "anthropic", model: "claude-slow", stream: true, key: clientKey });
    await until(async () => (await admin.api.logs.list.query({ filter: { state: "in_flight" } })).items.length > 0, {
      what: "it is in flight",
    });
    await admin.api.settings.update.mutate({ "upstream.idleTimeoutMs": 100, "routing.maxAttempts": 1 });
    const [last] = (await admin.api.settings.history.query({ limit: 1 })).items;
    expect(await admin.api.settings.rollBack.mutate({ id: last?.id ?? "" })).toMatchObject({
      "upstream.idleTimeoutMs": 30_000,
      "routing.maxAttempts": 5,
    });
    expect((await slow).outcome).toBe("complete");
  });
});
