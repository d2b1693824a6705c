import type { Key } from "@sluice/db/generated/client";
import type { KeyView } from "./key-view.ts";

/** What a key's view needs of its owner. */
export const keyInclude = { user: { select: { name: true, email: true } } } as const;

/** A stored key without its hash. */
export function toKeyView(row: Key & { user: { name: string; email: string } }): KeyView {
  return {
    id: row.id,
    userId: row.userId,
    userName: row.user.name,
    userEmail: row.user.email,
    name: row.name,
    group: row.group,
    preview: row.preview,
    rpm: row.rpm,
    inFlight: row.inFlight,
    expiresAtMs: row.expiresAt?.getTime() ?? null,
    enabled: row.disabledAt === null,
    revokedAtMs: row.revokedAt?.getTime() ?? null,
    createdAtMs: row.createdAt.getTime(),
  };
}
