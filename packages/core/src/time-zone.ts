/**
 * Days of an IANA zone as instants, from the runtime's zone data. A local time that occurs twice means its first
 * occurrence; one that a zone skips means the instant at which it would have been (Temporal's `compatible`).
 */
export const DAY_MS = 86_400_000;
export const HOUR_MS = 3_600_000;
/** The last ms of the year 9999: PostgreSQL's later times cannot be read back as dates, and still later ones do not fit an id. */
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

/** Local minus universal time at an instant, ms. @throws RangeError for an unknown zone. */
export function zoneOffsetMs(ms: number, zone: string): number {
  return localOf(ms, zone) - ms;
}

/** The first instant of the day that contains `ms`. */
export function dayStart(ms: number, zone: string): number {
  return localInstant(localDayOf(ms, zone), zone);
}

/** The first instant of the next day. */
export function nextDayStart(ms: number, zone: string): number {
  return localInstant(localDayOf(ms, zone) + DAY_MS, zone);
}

/** Yesterday at the same time of day: 23, 24 or 25 hours earlier. */
export function sameTimeYesterday(ms: number, zone: string): number {
  return findInstant(localOf(ms, zone) - DAY_MS, zone);
}

/** Midnight of the local day that contains `ms`, expressed as if the zone were UTC, for calendar arithmetic. */
export function localDayOf(ms: number, zone: string): number {
  const local = localOf(ms, zone);
  return local - modulo(local, DAY_MS);
}

/** The local clock time, expressed as if it were UTC. */
function localOf(ms: number, zone: string): number {
  if (zone === "UTC") return ms;
  const parts: Record<string, number> = {};
  for (const { type, value } of formatOf(zone).formatToParts(ms)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) + modulo(ms, 1_000);
}

/** The instant at which clocks in the zone show `local` (expressed as if it were UTC). Tries the offsets of the day before and after. */
export function localInstant(local: number, zone: string): number {
  const name = `${local} ${zone}`;
  const known = instants.get(name);
  if (known !== undefined) return known;
  const found = findInstant(local, zone);
  // Cached because most are midnights that are requested over and over.
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
