import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** The parts of Vite's manifest that are used: https://vite.dev/guide/backend-integration. Keys are source modules. */
type Manifest = Readonly<Record<string, { file: string; imports?: readonly string[] }>>;

const HOME = "overview";

/**
 * A `Link` header that preloads a page's own code, and the Chinese texts for a reader of Chinese, while the application that would
 * request them is still loading. Empty when there is nothing to preload. A build under a running server is noticed.
 */
export function pagePreloads(root: string): (path: string, acceptLanguage?: string) => Promise<string> {
  const path = join(root, ".vite/manifest.json");
  let read: { atMs: number; manifest: Manifest } | null = null;

  async function manifest(): Promise<Manifest> {
    const { mtimeMs } = await stat(path);
    if (read?.atMs !== mtimeMs) read = { atMs: mtimeMs, manifest: JSON.parse(await readFile(path, "utf8")) as Manifest };
    return read.manifest;
  }

  return async (page, acceptLanguage = "") => {
    // Without a manifest the application loads its parts itself, a little later.
    const built = await manifest().catch((): Manifest => ({}));
    const initial = filesOf(built, "index.html");
    const modules = [moduleOf(page), ...(/^zh\b/i.test(acceptLanguage) ? ["src/text/zh-CN.ts"] : [])];
    const files = new Set(modules.flatMap((module) => [...filesOf(built, module)]));
    return [...files]
      .filter((file) => !initial.has(file))
      .map((file) => `</${file}>; rel=modulepreload`)
      .join(", ");
  };
}

/** Page modules follow the address: /system/ledger is pages/system/ledger-page. */
function moduleOf(page: string): string {
  const [first = HOME, ...rest] = page.split("/").filter((part) => part !== "");
  return `src/pages/${first}/${rest.at(-1) ?? first}-page.tsx`;
}

function filesOf(manifest: Manifest, module: string, into = new Set<string>()): Set<string> {
  const chunk = manifest[module];
  if (!chunk || into.has(chunk.file)) return into;
  into.add(chunk.file);
  for (const imported of chunk.imports ?? []) filesOf(manifest, imported, into);
  return into;
}
