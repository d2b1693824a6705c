import type { SessionRow } from "@sluice/core/events";

/** Conversations with activity within the window, most recently active first. */
export interface SessionList {
  rows: SessionRow[];
  activeWindowSeconds: number;
  busId: string;
  serverNowMs: number;
}
