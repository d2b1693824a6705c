/** Who this browser is, and what it should show. */
export interface CurrentLogin {
  user: { id: string; email: string; name: string; role: "admin" | "user" } | null;
  /** No admin exists yet: show the setup page. */
  setupRequired: boolean;
  version: string;
  /** What clients put before `/v1`: the gateway's public address. */
  baseUrl: string;
  serverNowMs: number;
}
