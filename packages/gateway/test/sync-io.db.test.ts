import fs, { existsSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Harness, startHarness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());

describe("A01 no synchronous file I/O in request paths", () => {
  it("under load: no fs.*Sync call after start", async () => {
    const warmUp = await harness.call("/v1/messages", { body: { model: "claude-fake", max_tokens: 5, messages: [] } });
    await warmUp.text();
    const called: string[] = [];
    const names = Object.keys(fs).filter(
      (name) => name.endsWith("Sync") && typeof fs[name as keyof typeof fs] === "function",
    ) as (keyof typeof fs)[];
    const spies = names.map((name) => {
      const original = fs[name] as (...args: unknown[]) => unknown;
      return vi.spyOn(fs, name as "statSync").mockImplementation(((...args: unknown[]) => {
        called.push(`${name} ${new Error().stack?.split("\n")[3]?.trim()}`);
        return original(...args);
      }) as never);
    });
    // Makes modules that imported functions by name see the spies.
    syncBuiltinESMExports();
    existsSync("/");
    expect(called.splice(0).length).toBe(1);
    const bodies = [true, false].map((stream) => ({
      model: "claude-fake",
      max_tokens: 50,
      stream,
      messages: [{ role: "user", content: "hi" }],
    }));
    await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const response = await harness.call("/v1/messages", { body: bodies[i % 2] });
        await response.text();
        const refused = await harness.call("/v1/messages", { key: "sk-nobody", body: {} });
        await refused.text();
      }),
    );
    for (const spy of spies) spy.mockRestore();
    syncBuiltinESMExports();
    expect(names.length).toBeGreaterThan(20);
    expect(called).toEqual([]);
  });
});
