import { type Audience, isWanted, type LiveEvent, type SessionRow } from "@sluice/core/events";
import type { RequestRow } from "@sluice/core/requests";

/*
 * What each role sees, identical for lists, frames and replays. Users see their own requests and sessions with model, status,
 * tokens and cost, but not where they were sent: neither the provider nor the upstream's model name.
 */

/** The row as the audience may see it; null when it may not. The same object when nothing has to be hidden. */
export function shapeRow(audience: Audience, row: RequestRow): RequestRow | null {
  if (audience.kind === "admin") return row;
  return isOwn(audience, row) ? { ...row, providerId: "", upstreamModel: "" } : null;
}

/** Like {@link shapeRow}. */
export function shapeSession(audience: Audience, row: SessionRow): SessionRow | null {
  if (audience.kind === "admin") return row;
  return isOwn(audience, row) ? { ...row, providerId: "", providerSinceMs: 0, chosenBy: "" } : null;
}

function isOwn({ userId, keyId }: Extract<Audience, { kind: "user" }>, row: { userId: string; keyId: string }): boolean {
  return row.userId === userId && (keyId === undefined || row.keyId === keyId);
}

/** Like {@link shapeRow}, limited to the audience's topics. Users receive nothing about providers and prices, of settings only names. */
export function shapeEvent(audience: Audience, event: LiveEvent): LiveEvent | null {
  if (!isWanted(event.type, audience.topics)) return null;
  if (audience.kind === "admin") return event;
  switch (event.type) {
    case "request.started":
    case "request.progressed":
    case "request.lost":
    case "request.finished":
    case "request.refused": {
      const row = shapeRow(audience, event.row);
      return row && { ...event, row };
    }
    case "request.corrected": {
      const [row, correction] = [shapeRow(audience, event.row), shapeRow(audience, event.correction)];
      return row && correction && { ...event, row, correction };
    }
    case "session.started":
    case "session.updated":
    case "session.ended": {
      const row = shapeSession(audience, event.row);
      return row && { ...event, row };
    }
    case "key.changed":
    case "user.changed":
    case "credit.changed":
      if (event.type === "key.changed" && audience.keyId !== undefined && audience.keyId !== event.id) return null;
      return ownerOf(event) === audience.userId ? event : null;
    case "settings.changed":
      return { type: event.type, names: event.names };
    case "database.returned":
      return event;
    default:
      return null;
  }
}

/** The user an event belongs to: '' for everyone, null for administrators only. */
export function ownerOf(event: LiveEvent): string | null {
  switch (event.type) {
    case "request.started":
    case "request.progressed":
    case "request.lost":
    case "request.finished":
    case "request.refused":
    case "request.corrected":
    case "session.started":
    case "session.updated":
    case "session.ended":
      return event.row.userId || null;
    case "key.changed":
    case "credit.changed":
      return event.userId ?? null;
    case "user.changed":
      return event.userId ?? event.id;
    case "settings.changed":
    case "database.returned":
      return "";
    default:
      return null;
  }
}
