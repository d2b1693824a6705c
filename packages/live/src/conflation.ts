import type { LiveEvent } from "@sluice/core/events";

/** Identifies what an event is the state of: of two events with the same key, only the later is worth sending. */
export function keyOf(event: LiveEvent): string {
  switch (event.type) {
    case "request.started":
    case "request.progressed":
    case "request.lost":
    case "request.finished":
    case "request.refused":
      return `r${event.row.id}`;
    // Each is a difference, so none may replace another.
    case "request.corrected":
      return `r${event.correction.id}`;
    case "session.started":
    case "session.updated":
    case "session.ended":
      return `s${event.row.id}`;
    case "provider.opened":
    case "provider.half-opened":
    case "provider.closed":
      return `b${event.breaker.providerId} ${event.breaker.model}`;
    case "credential.cooled":
      return `k${event.coolDown.providerId} ${event.coolDown.label}`;
    case "provider.measured":
      return `m${event.health.providerId}`;
    case "settings.changed":
    case "database.returned":
    case "audit.added":
    case "stores.measured":
    case "quarantine.changed":
    case "reconciliation.changed":
      return event.type;
    case "repricing.changed":
      return `${event.type} ${event.repricing.id}`;
    case "alert.fired":
    case "alert.resolved":
      return `a${event.incident.id}`;
    case "config.applied":
    case "config.failed":
      return `c${event.instanceId}`;
    case "system.measured":
      return `i${event.instance.id}`;
    case "figures.measured":
      return `f${event.process.instanceId}`;
    default:
      return `${event.type} ${event.id}`;
  }
}

/** The later state of the two; by rev if there is one, because instances may publish out of order. */
export function laterOf(held: LiveEvent, next: LiveEvent): LiveEvent {
  if (held.type === "settings.changed" && next.type === "settings.changed") {
    return { type: next.type, names: [...new Set([...held.names, ...next.names])] };
  }
  const later = revOf(next) >= revOf(held) ? next : held;
  if (!("aside" in later) || (isAside(held) && isAside(next))) return later;
  // The sample became thinner in between; what was going to be shown still is.
  const { aside: _, ...shown } = later;
  return shown;
}

/** Whether the event is about a request outside the sample. */
export function isAside(event: LiveEvent): boolean {
  return "rev" in event && event.aside === true;
}

function revOf(event: LiveEvent): number {
  if ("rev" in event) return event.rev;
  return "row" in event ? event.row.rev : 0;
}

/** Approximate size of an event within a large frame, in bytes: precise enough to detect slow readers. */
export function weightOf(event: LiveEvent): number {
  return isAside(event) ? 200 : 350;
}
