import type { Services } from "../context.ts";

/** Whether no administrator exists yet, from memory. */
export function setupRequired(services: Services): boolean {
  for (const user of services.snapshot.current().users.values()) if (user.role === "admin") return false;
  return true;
}
