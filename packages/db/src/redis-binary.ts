import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { searchPath } from "./env.ts";

/** The first redis-server or valkey-server on PATH; null when there is none. */
export async function findRedisServer(path: string = searchPath()): Promise<string | null> {
  for (const name of ["redis-server", "valkey-server"]) {
    for (const folder of path.split(delimiter)) {
      if (folder === "") continue;
      const file = join(folder, name);
      const executable = await access(file, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (executable) return file;
    }
  }
  return null;
}
