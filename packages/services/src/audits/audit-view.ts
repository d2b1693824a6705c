import type { Page } from "@sluice/core/inputs/page";

/** One audit entry. `before` and `after` are what the verb recorded, without secrets; null where there was nothing. */
export interface AuditView {
  id: string;
  atMs: number;
  actor: {
    kind: "user" | "config" | "cli" | "boot" | "anonymous" | "key";
    /** Empty unless a user. */
    id: string;
    name: string;
    email: string;
  };
  action: string;
  /** denied: the actor lacked the right, and nothing happened. */
  outcome: "done" | "denied";
  targetKind: string;
  targetId: string;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  ip: string;
  requestId: string;
}

export type AuditPage = Page<AuditView>;
