import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isProcessAlive } from "@sluice/db/process-facts";
import { expect, it } from "vitest";
import { until } from "./deadline.ts";

const script = fileURLToPath(new URL("../test/start-and-wait.ts", import.meta.url));

it.each(["running", "orphan"])("a test process that is killed leaves nothing of its server behind (%s)", async (state) => {
  const parent = spawn(process.execPath, [script, state], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(parent.stdout, "data")) as [Buffer];
  const [dataDir = "", server] = line.toString().trim().split(" ");
  const runFiles = ["pg18", "redis"].map((service) => readFile(join(dataDir, service, "run.json"), "utf8"));
  const services = (await Promise.all(runFiles)).map((text) => (JSON.parse(text) as { pid: number }).pid);
  expect(await Promise.all(services.map(isProcessAlive))).toEqual([true, true]);
  expect(await isProcessAlive(Number(server))).toBe(state === "running");

  parent.kill("SIGKILL");
  const pids = [...services, Number(server)];
  const isGone = async () => !(await Promise.all(pids.map(isProcessAlive))).includes(true) && !existsSync(dataDir);
  await until(isGone, { what: "server, PostgreSQL, Redis and their files are gone", deadlineMs: 60_000, everyMs: 100 });
});
