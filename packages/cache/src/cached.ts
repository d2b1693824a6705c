import type { CacheKind } from "@sluice/core/cache-kinds";
import type { Cache, Cached, CacheScope, CacheTag } from "./cache.ts";
import { hashOf } from "./cache-key.ts";

export interface CachedOptions {
  scope: CacheScope;
  /** Everything else that the answer depends on, parsed: two questions that differ in it have two answers. */
  input: unknown;
  /** What the answer depends on and is not in the scope: `key:ID`, `provider:ID`, … Its kind, user and key are there anyway. */
  tags?: readonly CacheTag[];
}

/**
 * The answer to one question, computed when nobody has one that still counts. `name` is a kind of the table of lifetimes and what is
 * read: `stats:series`. Any plain data may be kept, dates, bigint, null and undefined included: an answer of null is kept like any
 * other, what `compute` throws is not. The value is frozen, and the same in form whether it was kept or not.
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
