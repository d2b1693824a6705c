import { anyId, anyName, choice, type SearchOf, searchOf, textUpTo } from "../../search-fields.ts";

/** The filter of the audit, as the address carries it. */
export const AuditSearch = searchOf({
  /** A user's id, or `config`, `cli`, `boot`. */
  actor: anyId,
  action: textUpTo(80),
  kind: textUpTo(40),
  target: anyName,
  outcome: choice(["done", "denied"]),
  since: choice(["1h", "24h", "7d", "30d"]),
});
export type AuditSearch = SearchOf<typeof AuditSearch>;

const spanMs = { "1h": 3_600_000, "24h": 86_400_000, "7d": 7 * 86_400_000, "30d": 30 * 86_400_000 } as const;

/** The server's filter. A relative time stays relative in the address and is converted here. */
export function auditFilter({ actor, action, kind, target, outcome, since }: AuditSearch, nowMs: number) {
  const isKind = actor === "config" || actor === "cli" || actor === "boot" || actor === "key";
  return {
    ...(isKind ? { actorKind: actor as "config" } : actor && { actorId: actor }),
    ...(action && { action }),
    ...(kind && { targetKind: kind }),
    ...(target && { targetId: target }),
    ...(outcome && { outcome }),
    ...(since && { fromMs: nowMs - spanMs[since] }),
  };
}

export function isFiltered(search: AuditSearch): boolean {
  return Object.values(search).some((value) => value !== undefined && value !== "");
}
