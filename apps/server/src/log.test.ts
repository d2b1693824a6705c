import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "@sluice/testing/deadline";
import { expect, onTestFinished, test } from "vitest";

const script = fileURLToPath(new URL("../test/log-and-wait.ts", import.meta.url));

test("a log file that takes nothing more does not end the process, has lines again when it does, and does not keep it from ending", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-log-"));
  const path = join(folder, "log");
  // Longer than the limit: every write fails, as on a full disk.
  writeFileSync(path, "-".repeat(8_192));
  const file = openSync(path, "a");
  const limited = ["-c", 'ulimit -f 2; exec "$0" "$1"', process.execPath, script];
  const child = spawn("/bin/sh", limited, { stdio: ["ignore", file, file, "ipc"] });
  const ended = once(child, "exit");
  onTestFinished(() => {
    child.kill("SIGKILL");
    closeSync(file);
    rmSync(folder, { recursive: true });
  });
  let written = 0;
  child.on("message", () => {
    written += 1;
  });
  const more = (lines: number) => {
    const wanted = written + lines;
    return until(() => child.exitCode !== null || written >= wanted, { what: "lines are written" });
  };
  await more(50);
  expect(child.exitCode).toBeNull();

  truncateSync(path);
  await until(() => readFileSync(path, "utf8").includes('"msg":"a line"'), { what: "the file has lines again" });
  await more(200);
  expect(child.exitCode).toBeNull();
  child.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
});
