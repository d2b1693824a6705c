import type { CacheTag } from "@sluice/cache/cache";
import type { LiveEvent } from "@sluice/core/events";

/**
 * What answers no longer count after these changes. Lists over everybody hold names and who is there: they go with any of them.
 * Settings (the time zone), groups and prices may be behind anything.
 */
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
      return [`key:${event.id}`, ...(event.userId ? [`user:${event.userId}` as const] : []), "namespace:keys", "namespace:leaderboard"];
    case "user.changed":
      return [`user:${event.id}`, "namespace:keys", "namespace:leaderboard"];
    case "provider.changed":
      return [`provider:${event.id}`, "namespace:leaderboard"];
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
