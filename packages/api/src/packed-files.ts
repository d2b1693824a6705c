import { readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";

/** What the build leaves beside a file, best first. Browsers offer br over https and on localhost only. */
const encodings = [
  { name: "br", suffix: ".br" },
  { name: "gzip", suffix: ".gz" },
] as const;

type Encoding = (typeof encodings)[number];

const types: Record<string, string> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".html": "text/html; charset=utf-8",
};

const MOST_KEPT = 400;

/** Compressed copies that were asked for, with the time of the file they stand for. */
interface Packed {
  mtimeMs: number;
  body: Buffer;
}

interface PackedFile {
  body: Buffer;
  /** Content type of what is inside. */
  type: string;
  encoding: Encoding["name"];
  tag: string;
}

/**
 * Files that the build compressed, sent from memory: the console's code is a third as large that way, and a first visit
 * waits for little else. The one look at the disk per hit is at the file itself, so that a deleted one is gone at once.
 */
export function packedFiles(root: string) {
  const kept = new Map<string, Packed>();

  async function bodyOf(path: string, { suffix }: Encoding, mtimeMs: number): Promise<Buffer> {
    const known = kept.get(path + suffix);
    if (known?.mtimeMs === mtimeMs) return known.body;
    const body = await readFile(join(root, path + suffix));
    // Builds under a running server leave names behind that nobody asks for again.
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(path + suffix, { mtimeMs, body });
    return body;
  }

  return {
    encodings,
    /** `path` in the best of `available` that the client takes; null: it takes none, or the file is gone. */
    async find(path: string, available: readonly Encoding[], accepted: string | string[] | undefined): Promise<PackedFile | null> {
      const type = types[extname(path)];
      const encoding = available.find(({ name }) => accepts(String(accepted ?? ""), name));
      if (!encoding || !type) return null;
      try {
        const { mtimeMs, size } = await stat(join(root, path));
        const body = await bodyOf(path, encoding, mtimeMs);
        return { body, type, encoding: encoding.name, tag: `"${size.toString(36)}-${Math.trunc(mtimeMs).toString(36)}-${encoding.name}"` };
      } catch {
        return null;
      }
    },
  };
}

function accepts(accepted: string, encoding: string): boolean {
  return accepted.split(",").some((part) => {
    const [name = "", ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
    return name === encoding && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
