import type { Outputs } from "../../api/client.ts";

/** A key as lists show it. */
export type Key = Outputs["keys"]["list"]["rows"][number];

export type KeyStatus = "active" | "disabled" | "expired" | "revoked";

/** What a key is good for now. */
export function keyStatus(key: Key, nowMs: number): KeyStatus {
  if (key.revokedAtMs !== null) return "revoked";
  if (!key.enabled) return "disabled";
  if (key.expiresAtMs !== null && key.expiresAtMs <= nowMs) return "expired";
  return "active";
}
