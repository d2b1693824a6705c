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

/** Hashes of the scripts whose text each connection has sent. */
const taught = new WeakMap<object, Set<string>>();

function isTaught({ stream }: Redis, sha: string): boolean {
  if (!stream) return false;
  let known = taught.get(stream);
  if (!known) {
    known = new Set();
    taught.set(stream, known);
  }
  if (known.has(sha)) return true;
  known.add(sha);
  return false;
}

/**
 * Runs the script. The first call on a connection sends its text, later ones its hash, so the calls of one connection run in order even
 * when the server does not know the script yet. Only if the server was told to forget its scripts is a call repeated, after commands
 * sent in the meantime. ioredis' own `defineCommand` does the same, but keeps each command until a full collection (redis-command.ts).
 */
export async function runScript(
  redis: Redis,
  script: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  if (!isTaught(redis, script.sha)) return redis.eval(script.lua, keys.length, ...keys, ...args);
  try {
    return await redis.evalsha(script.sha, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
    return redis.eval(script.lua, keys.length, ...keys, ...args);
  }
}
