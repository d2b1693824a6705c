import { readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";

/** The compressed copies that the build creates, best first. Browsers accept br only over https and on localhost. */
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

/** A compressed copy, with the modification time of the original file. */
interface Packed {
  mtimeMs: number;
  body: Buffer;
}

interface PackedFile {
  body: Buffer;
  /** Content type of the original. */
  type: string;
  encoding: Encoding["name"];
  tag: string;
}

/**
 * Serves files that the build compressed, from memory: this makes the console's code a third as large, which dominates a first visit. The
 * one disk access per hit is a stat of the original file, so that a deleted file is gone at once.
 */
export function packedFiles(root: string) {
  const kept = new Map<string, Packed>();

  async function bodyOf(path: string, { suffix }: Encoding, mtimeMs: number): Promise<Buffer> {
    const known = kept.get(path + suffix);
    if (known?.mtimeMs === mtimeMs) return known.body;
    const body = await readFile(join(root, path + suffix));
    // Builds under a running server leave copies under old names that nobody requests again.
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(path + suffix, { mtimeMs, body });
    return body;
  }

  return {
    encodings,
    /** `path` in the best of the `available` encodings that the client accepts; null if there is none, or if the file is gone. */
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
