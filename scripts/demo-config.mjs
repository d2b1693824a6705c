import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const usualPort = "4010";

/**
 * The demo's configuration file with its providers at `upstreamPort`: the checkout's own file for the default port, otherwise a copy in
 * the data directory. It is applied at every start, so providers from an earlier start move as well.
 */
export function demoConfig(root, dataDir, upstreamPort) {
  const original = join(root, "apps/upstream/demo.yaml");
  if (upstreamPort === usualPort) return original;
  const dir = resolve(root, dataDir);
  mkdirSync(dir, { recursive: true });
  const path = join(dir, "demo.yaml");
  writeFileSync(path, readFileSync(original, "utf8").replaceAll(`//127.0.0.1:${usualPort}`, `//127.0.0.1:${upstreamPort}`));
  return path;
}
