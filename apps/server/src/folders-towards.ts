import { lstat, readlink } from "node:fs/promises";
import { dirname, isAbsolute, join, sep } from "node:path";

/** As many links as Linux follows. */
const MOST_LINKS = 40;

/**
 * The folders in which something must change for the path to lead to another file: the real folder of the file, and that of every link
 * on the way. Where something on the way is missing, the folder in which it would appear.
 */
export async function foldersTowards(path: string): Promise<Set<string>> {
  const folders = new Set<string>();
  const left = path.split(sep);
  let at: string = sep;
  for (let links = 0; left.length > 0; ) {
    const name = left.shift() ?? "";
    if (name === "" || name === ".") continue;
    if (name === "..") {
      at = dirname(at);
      continue;
    }
    const next = join(at, name);
    const facts = await lstat(next).catch(() => null);
    if (facts?.isDirectory() && left.length > 0) {
      at = next;
      continue;
    }
    folders.add(at);
    if (!facts?.isSymbolicLink() || ++links > MOST_LINKS) break;
    const target = await readlink(next).catch(() => "");
    left.unshift(...target.split(sep));
    if (isAbsolute(target)) at = sep;
  }
  return folders;
}
