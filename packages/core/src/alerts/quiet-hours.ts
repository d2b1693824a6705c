import { type Schedule, scheduleAt } from "../routing/schedule.ts";
import type { AlertSeverity } from "./alert-kinds.ts";

export interface QuietHours {
  severity: AlertSeverity;
  quietHours: Schedule;
  /** Whether critical messages are sent during quiet hours too. */
  criticalThrough: boolean;
}

/** When a message created now may be sent: at once, or when the quiet hours (in the rule's time zone) are over; ms. */
export function deliverAtMs({ severity, quietHours, criticalThrough }: QuietHours, nowMs: number): number {
  if (quietHours.windows.length === 0 || (severity === "critical" && criticalThrough)) return nowMs;
  const { open, untilMs } = scheduleAt(quietHours, nowMs);
  // If the windows leave no gap, the message is held for two days at most.
  return open ? untilMs : nowMs;
}
