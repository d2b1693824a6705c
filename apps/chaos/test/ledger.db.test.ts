import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

/** Choose another one with SLUICE_TEST_SEED=7. */
const seed = process.env.SLUICE_TEST_SEED ?? "20261128";

function run(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const program = fileURLToPath(new URL("../src/main.ts", import.meta.url));
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, output })));
}

describe("npm run chaos -- ledger --short", () => {
  it("kills gateways, and every request was billed exactly once", { timeout: 300_000 }, async () => {
    const { code, output } = await run(["ledger", "--short", "--seed", seed]);
    expect(output).toMatch(/[1-9]\d* kills of \d+ planned/);
    const counts = [...output.matchAll(/^(I\d+) +(\d+) .* (\d+) violations$/gm)].map(([, invariant, , violations]) => [
      invariant,
      violations,
    ]);
    const invariants = ["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I11"];
    expect(counts, output).toEqual(invariants.map((invariant) => [invariant, "0"]));
    expect(code, output).toBe(0);
  });

  it("prints its usage", async () => {
    expect(await run(["tea"])).toMatchObject({ code: 2, output: expect.stringContaining("npm run chaos -- ledger") });
  });
});
