import type { BusId } from "@sluice/core/events";

/** Who this browser is signed in as, and what it should show. */
export interface CurrentLogin {
  /** A login by key has the role `key`, with the key's id and name. */
  user: { id: string; email: string; name: string; role: "admin" | "user" | "key" } | null;
  /** No administrator exists yet, so the setup page is shown. */
  setupRequired: boolean;
  version: string;
  /** The gateway's public address, which clients put before `/v1`. */
  baseUrl: string;
  serverNowMs: number;
  /**
   * Bus position read before the rest; empty when nobody is signed in. A page that subscribes from here misses no change of what it reads
   * later.
   */
  busId: BusId;
}
