import type { Page } from "@sluice/core/inputs/page";

/** One entry of the audit. `before` and `after` are what the verb kept: free of secrets, absent where there was nothing. */
export interface AuditView {
  id: string;
  atMs: number;
  actor: {
    kind: "user" | "config" | "cli" | "boot" | "anonymous" | "key";
    /** '' unless a user. */
    id: string;
    name: string;
    email: string;
  };
  action: string;
  /** denied: asked for by somebody who may not; nothing happened. */
  outcome: "done" | "denied";
  targetKind: string;
  targetId: string;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  ip: string;
  requestId: string;
}

export type AuditPage = Page<AuditView>;
