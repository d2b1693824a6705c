import type { BusId } from "@sluice/core/events";

/** Who this browser is, and what it should show. */
export interface CurrentLogin {
  /** Who has signed in by a key has the role `key`, and its id and name. */
  user: { id: string; email: string; name: string; role: "admin" | "user" | "key" } | null;
  /** No admin exists yet: show the setup page. */
  setupRequired: boolean;
  version: string;
  /** What clients put before `/v1`: the gateway's public address. */
  baseUrl: string;
  serverNowMs: number;
  /** Bus position read before the rest; '' for nobody. A page asks this first: subscribing from here misses nothing that it reads. */
  busId: BusId;
}
