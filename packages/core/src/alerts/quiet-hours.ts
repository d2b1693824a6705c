import { type Schedule, scheduleAt } from "../routing/schedule.ts";
import type { AlertSeverity } from "./alert-kinds.ts";

export interface QuietHours {
  severity: AlertSeverity;
  quietHours: Schedule;
  /** Whether what is critical is told in quiet hours too. */
  criticalThrough: boolean;
}

/** When a message of now may leave: at once, or when the quiet hours of the rule's zone are over; ms. */
export function deliverAtMs({ severity, quietHours, criticalThrough }: QuietHours, nowMs: number): number {
  if (quietHours.windows.length === 0 || (severity === "critical" && criticalThrough)) return nowMs;
  const { open, untilMs } = scheduleAt(quietHours, nowMs);
  // Windows that leave no gap hold it for two days at most.
  return open ? untilMs : nowMs;
}
