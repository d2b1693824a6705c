import type { SessionRow } from "@sluice/core/events";

/** Conversations with activity inside the window, newest activity first. */
export interface SessionList {
  rows: SessionRow[];
  activeWindowSeconds: number;
  busId: string;
  serverNowMs: number;
}
