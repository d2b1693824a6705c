import type { KeyStatus } from "@sluice/core/key-statuses";
import type { Outputs } from "../api/client.ts";

/** A key as lists show it. */
export type Key = Outputs["keys"]["list"]["items"][number];

/** Whether a key can be used now, and if not, why. */
export function keyStatus(key: Key, nowMs: number): KeyStatus {
  if (key.revokedAtMs !== null) return "revoked";
  if (!key.enabled) return "disabled";
  if (key.expiresAtMs !== null && key.expiresAtMs <= nowMs) return "expired";
  return "active";
}

/** Whether the secret before the last rotation still works. */
export function isOverlapping({ previousValidUntilMs, revokedAtMs }: Key, nowMs: number): boolean {
  return revokedAtMs === null && previousValidUntilMs !== null && previousValidUntilMs > nowMs;
}
