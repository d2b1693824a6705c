import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Finding } from "./checker/finding.ts";
import type { Installation } from "./installation.ts";

/** Runs the checker, a separate program, over one installation at rest. @throws when it could not read its evidence. */
export async function check({ oraclePath, clientsPath, postgres, redis }: Installation): Promise<Finding[]> {
  const program = fileURLToPath(new URL("checker/main.ts", import.meta.url));
  const args = ["--oracle", oraclePath, "--clients", clientsPath, "--database", postgres.url, "--redis", redis.url];
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  if (code !== 0 && code !== 1) throw new Error(`the checker ended with ${code}`);
  return output
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Finding);
}

/** Merges the findings of several installations, by invariant. */
export function sumUp(findings: readonly (readonly Finding[])[]): Finding[] {
  const sums = new Map<string, Finding>();
  for (const finding of findings.flat()) {
    const sum = sums.get(finding.invariant);
    if (!sum) sums.set(finding.invariant, { ...finding });
    else {
      sum.checked += finding.checked;
      sum.violations += finding.violations;
      sum.examples = [...sum.examples, ...finding.examples].slice(0, 10);
    }
  }
  return [...sums.values()].sort((a, b) => Number(a.invariant.slice(1)) - Number(b.invariant.slice(1)));
}
