import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { checkoutDir } from "./checkout.ts";

/** What a visitor downloads, in gzipped bytes. */
export interface BundleSizes {
  /** Code that runs before any page: everything that index.html loads. */
  initialJs: number;
  /** What the log page adds to that. */
  logsRouteJs: number;
  /** Size and name of the largest file loaded on demand. */
  largestLazyJs: number;
  largestLazyName: string;
  css: number;
  /** The largest font, uncompressed: font files are already compressed. */
  largestFont: number;
}

interface Chunk {
  file: string;
  imports?: string[];
  css?: string[];
  assets?: string[];
}

const dist = join(checkoutDir, "apps/console/dist");

/** Reads the sizes of the console's build from its manifest. @throws when it was not built. */
export function bundleSizes(): BundleSizes {
  const path = join(dist, ".vite/manifest.json");
  if (!existsSync(path)) throw new Error("The console has not been built: npm run build");
  const manifest = JSON.parse(readFileSync(path, "utf8")) as Record<string, Chunk>;
  const closure = (key: string, into = new Set<string>()): Set<string> => {
    const chunk = manifest[key];
    if (!chunk || into.has(chunk.file)) return into;
    into.add(chunk.file);
    for (const imported of chunk.imports ?? []) closure(imported, into);
    return into;
  };
  const page = readFileSync(join(dist, "index.html"), "utf8");
  const initial = new Set([...page.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map(([, file]) => file ?? ""));
  const logs = [...closure("src/pages/logs/logs-page.tsx")].filter((file) => !initial.has(file));
  if (logs.length === 0) throw new Error("The page of the log is not a chunk of its own any more");
  const files = Object.values(manifest).map(({ file }) => file);
  const lazy = files.filter((file) => file.endsWith(".js") && !initial.has(file)).map((file) => ({ file, size: gzipped(file) }));
  const largest = lazy.reduce((most, one) => (one.size > most.size ? one : most), { file: "", size: 0 });
  const styles = new Set(Object.values(manifest).flatMap(({ css = [] }) => css));
  const fonts = new Set(
    Object.values(manifest).flatMap(({ assets = [], file }) => [...assets, file].filter((name) => name.endsWith(".woff2"))),
  );
  return {
    initialJs: sum([...initial].map(gzipped)) + gzipped("theme.js"),
    logsRouteJs: sum(logs.map(gzipped)),
    largestLazyJs: largest.size,
    largestLazyName: largest.file,
    css: sum([...styles].map(gzipped)),
    largestFont: Math.max(...[...fonts].map((file) => statSync(join(dist, file)).size)),
  };
}

function gzipped(file: string): number {
  return gzipSync(readFileSync(join(dist, file)), { level: 9 }).length;
}

function sum(figures: readonly number[]): number {
  return figures.reduce((total, one) => total + one, 0);
}
