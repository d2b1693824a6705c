import { copyFile, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** A CPU profile in V8's format: each sample refers to a node, deltas are in µs. */
interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  timeDeltas: number[];
}

/** Node's arguments for a process that writes a profile of its main thread to this folder when it ends. */
export const profiled = (folder: string): string[] => ["--cpu-prof", "--cpu-prof-interval=200", `--cpu-prof-dir=${folder}`];

/** Stores the folder's profile as `path` (for a viewer) and returns lines with the functions that took most self time. */
export async function summariseProfile(folder: string, path: string, most = 25): Promise<string[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith(".cpuprofile"));
  const profiles = await Promise.all(files.map(async (name) => ({ name, text: await readFile(join(folder, name), "utf8") })));
  // Workers write profiles too; that of the data plane is the largest.
  const [largest] = profiles.sort((a, b) => b.text.length - a.text.length);
  if (!largest) throw new Error("the gateway wrote no profile");
  await copyFile(join(folder, largest.name), path);
  const { nodes, samples, timeDeltas } = JSON.parse(largest.text) as CpuProfile;
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
      id,
      `${functionName || "(anonymous)"} ${shortened(url)}:${lineNumber + 1}`,
    ]),
  );
  const own = new Map<string, number>();
  samples.forEach((id, at) => {
    const name = names.get(id) ?? "";
    if (!name.startsWith("(idle)")) own.set(name, (own.get(name) ?? 0) + (timeDeltas[at] ?? 0));
  });
  const total = [...own.values()].reduce((sum, us) => sum + us, 0);
  const top = [...own].sort(([, a], [, b]) => b - a).slice(0, most);
  return top.map(([name, us]) => `${((100 * us) / total).toFixed(2).padStart(6)} %  ${name}`);
}

/** The path from the package on. */
function shortened(url: string): string {
  return url.replace(/^.*\/(packages|apps|node_modules)\//, "$1/");
}
