import type { CacheTag } from "@sluice/cache/cache";
import type { LiveEvent } from "@sluice/core/events";

/** Answers that a change of any key, user or provider may affect: they contain names, counts, or what a filter by tag finds. */
const overAll: CacheTag[] = ["namespace:keys", "namespace:leaderboard", "namespace:stats", "namespace:userInfo", "namespace:config"];

/** Tags of the cached answers that these changes make stale. Settings (the time zone), groups and prices may affect any answer. */
export function cacheTags(events: readonly LiveEvent[]): CacheTag[] | "all" {
  const tags = new Set<CacheTag>();
  for (const event of events) {
    const of = tagsOf(event);
    if (of === "all") return of;
    for (const tag of of) tags.add(tag);
  }
  return [...tags];
}

function tagsOf(event: LiveEvent): CacheTag[] | "all" {
  switch (event.type) {
    case "key.changed":
      return [`key:${event.id}`, ...(event.userId ? [`user:${event.userId}` as const] : []), ...overAll];
    case "user.changed":
      return [`user:${event.id}`, ...overAll];
    case "provider.changed":
      return [`provider:${event.id}`, ...overAll];
    case "credit.changed":
      return [`user:${event.userId}`];
    case "settings.changed":
    case "group.changed":
    case "price.changed":
      return "all";
    default:
      return [];
  }
}
