import { createHash } from "node:crypto";
import type { Redis } from "ioredis";

/** A Lua script, called by its hash. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

/** Prepares a script. Keys and arguments are its KEYS and ARGV. */
export function defineScript(lua: string): Script {
  return { lua, sha: createHash("sha1").update(lua).digest("hex") };
}

/** Runs it; a server that does not know it yet, or any more, is told it. */
export async function runScript(
  redis: Redis,
  script: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await redis.evalsha(script.sha, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
    return redis.eval(script.lua, keys.length, ...keys, ...args);
  }
}
