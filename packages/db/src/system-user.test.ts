import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { commandOfProcess, freePort, isProcessAlive } from "./process-facts.ts";
import { findSystemUser, isReachable } from "./system-user.ts";

it("finds users by name and by id", async () => {
  expect(await findSystemUser("root")).toEqual({ name: "root", uid: 0, gid: 0 });
  expect(await findSystemUser(0)).toMatchObject({ name: "root" });
  expect(await findSystemUser("no-such-user")).toBeNull();
});

it("a folder is reachable only when every folder above lets the user pass", async () => {
  const top = await mkdtemp(join(tmpdir(), "sluice-reach-"));
  const inner = join(top, "a", "b");
  await mkdir(inner, { recursive: true });
  const stranger = { name: "stranger", uid: 54_321, gid: 54_321 };
  await chmod(top, 0o711);
  expect(await isReachable(inner, stranger)).toBe(true);
  await chmod(inner, 0o711);
  expect([await isReachable(inner, stranger, "enter"), await isReachable(inner, stranger, "read")]).toEqual([true, false]);
  await chmod(top, 0o700);
  expect(await isReachable(inner, stranger, "enter")).toBe(false);
  expect(await isReachable(join(top, "missing"), stranger)).toBe(false);
  await rm(top, { recursive: true });
});

it("knows whether a process lives and what it runs", async () => {
  expect(await isProcessAlive(process.pid)).toBe(true);
  expect(await commandOfProcess(process.pid)).toContain("node");
  expect(await isProcessAlive(2 ** 22 + 1)).toBe(false);
  expect(await commandOfProcess(2 ** 22 + 1)).toBe("");
  expect(await freePort()).toBeGreaterThan(0);
});
