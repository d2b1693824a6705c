/**
 * Days of an IANA zone as instants, by what the runtime knows of zones. A local time that occurs twice means its first
 * occurrence; one that a zone skips means the instant at which it would have been (as Temporal's `compatible`).
 */
export const DAY_MS = 86_400_000;
/** The last ms of the year 9999: later times have no place in an id, and PostgreSQL's are read back as no date at all. */
export const LATEST_MS = 253_402_300_799_999;
const formats = new Map<string, Intl.DateTimeFormat>();

/** Whether the runtime knows a zone of this name. */
export function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/** Local minus universal time at an instant, ms. @throws RangeError for a zone that is not known. */
export function zoneOffsetMs(ms: number, zone: string): number {
  return localOf(ms, zone) - ms;
}

/** The first instant of the day that `ms` is in. */
export function dayStart(ms: number, zone: string): number {
  return localInstant(localDayOf(ms, zone), zone);
}

/** The first instant of the day after. */
export function nextDayStart(ms: number, zone: string): number {
  return localInstant(localDayOf(ms, zone) + DAY_MS, zone);
}

/** Yesterday at the same time of day: 23, 24 or 25 hours earlier. */
export function sameTimeYesterday(ms: number, zone: string): number {
  return findInstant(localOf(ms, zone) - DAY_MS, zone);
}

/** Midnight of the local day that `ms` is in, written as if the zone were UTC: calendar arithmetic works on it. */
export function localDayOf(ms: number, zone: string): number {
  const local = localOf(ms, zone);
  return local - modulo(local, DAY_MS);
}

/** What clocks in the zone show, written as if it were UTC. */
function localOf(ms: number, zone: string): number {
  if (zone === "UTC") return ms;
  const parts: Record<string, number> = {};
  for (const { type, value } of formatOf(zone).formatToParts(ms)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) + modulo(ms, 1_000);
}

/** The instant at which clocks in the zone show `local` (written as if the zone were UTC). Offsets of the days around it are all that can be in force. */
export function localInstant(local: number, zone: string): number {
  const name = `${local} ${zone}`;
  const known = instants.get(name);
  if (known !== undefined) return known;
  const found = findInstant(local, zone);
  // Most are midnights that are asked for again and again.
  if (instants.size >= MOST_INSTANTS) instants.clear();
  instants.set(name, found);
  return found;
}

const instants = new Map<string, number>();
const MOST_INSTANTS = 5_000;

function findInstant(local: number, zone: string): number {
  const before = local - zoneOffsetMs(local - DAY_MS, zone);
  if (localOf(before, zone) === local) return before;
  const after = local - zoneOffsetMs(local + DAY_MS, zone);
  return localOf(after, zone) === local ? after : before;
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const digits = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" } as const;
  const made = new Intl.DateTimeFormat("en-US", { timeZone: zone, calendar: "gregory", hourCycle: "h23", ...digits });
  formats.set(zone, made);
  return made;
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
