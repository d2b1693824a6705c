import type { CacheKind } from "@sluice/core/cache-kinds";
import type { Cache, Cached, CacheScope, CacheTag } from "./cache.ts";
import { hashOf } from "./cache-key.ts";

export interface CachedOptions {
  scope: CacheScope;
  /** Everything else that the answer depends on, parsed. */
  input: unknown;
  /** Dependencies that are not in the scope: `key:ID`, `provider:ID`, … The tags of its kind, user and key are added automatically. */
  tags?: readonly CacheTag[];
}

/**
 * The answer to a question, computed if there is no valid cached one. `name` is a kind of the table of lifetimes and what is read:
 * `stats:series`. Any plain data can be cached, including dates, bigint, null and undefined; errors thrown by `compute` are not. The
 * value is frozen and has the same form whether it was cached or not.
 * @throws whatever `compute` throws.
 */
export async function cached<T>(
  { cache }: { cache: Cache },
  name: `${CacheKind}:${string}`,
  { scope, input, tags = [] }: CachedOptions,
  compute: () => Promise<T>,
): Promise<Cached<T>> {
  const kind = name.slice(0, name.indexOf(":")) as CacheKind;
  const { tenantId, role, userId, keyId } = scope;
  const id = `${kind}:${hashOf({ version: cache.version, name, tenantId, role, userId, keyId, input })}`;
  const all: CacheTag[] = [`namespace:${kind}`, ...tags];
  if (userId !== null) all.push(`user:${userId}`);
  if (keyId !== null) all.push(`key:${keyId}`);
  return (await cache.read({ kind, id, tags: [...new Set(all)] }, compute)) as Cached<T>;
}
