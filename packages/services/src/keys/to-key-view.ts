import type { Key } from "@sluice/db/generated/client";
import { toLimitsView, toLimitValues } from "../limits/limits-view.ts";
import { toPolicies } from "../policies/to-policies.ts";
import type { KeyView } from "./key-view.ts";

/** A stored key without its hashes. */
export function toKeyView(row: Key): KeyView {
  return {
    id: row.id,
    userId: row.userId,
    name: row.name,
    group: row.group,
    preview: row.preview,
    ...toLimitsView(toLimitValues(row)),
    rpm: row.rpm,
    inFlight: row.inFlight,
    expiresAtMs: row.expiresAt?.getTime() ?? null,
    policies: toPolicies(row.policies),
    tags: row.tags,
    enabled: row.disabledAt === null,
    revokedAtMs: row.revokedAt?.getTime() ?? null,
    previousValidUntilMs: row.previousValidUntil?.getTime() ?? null,
    createdAtMs: row.createdAt.getTime(),
  };
}
