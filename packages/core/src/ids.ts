/**
 * UUIDv7 (RFC 9562): 48 bits of ms, then a 12-bit counter and random bits. One id serves as request id, lease, spool
 * record, primary key, partition key and keyset cursor, so ids made by one process must rise strictly, even within one
 * millisecond and when the wall clock steps back.
 */
let lastMs = 0;
let counter = 0;
/** What all ids of `prefixMs` begin with. */
let prefix = "";
let prefixMs = -1;

const hex: string[] = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));
const pool = new Uint8Array(8 * 256);
let poolAt = pool.length;

function randomOffset(): number {
  if (poolAt >= pool.length) {
    crypto.getRandomValues(pool);
    poolAt = 0;
  }
  const at = poolAt;
  poolAt += 8;
  return at;
}

/** A new id, strictly greater than every id this process made before. */
export function newId(nowMs: number = Date.now()): string {
  if (nowMs > lastMs) {
    lastMs = nowMs;
    counter = 0;
  } else if (++counter > 0xfff) {
    // More than 4,096 ids in one millisecond: borrows the next one, as RFC 9562 section 6.2 allows.
    lastMs += 1;
    counter = 0;
  }
  if (lastMs !== prefixMs) {
    const ms = lastMs.toString(16).padStart(12, "0");
    prefix = `${ms.slice(0, 8)}-${ms.slice(8)}-7`;
    prefixMs = lastMs;
  }
  const at = randomOffset();
  const tail =
    hex[((pool[at] ?? 0) & 0x3f) | 0x80] +
    (hex[pool[at + 1] ?? 0] ?? "") +
    "-" +
    hex[pool[at + 2] ?? 0] +
    hex[pool[at + 3] ?? 0] +
    hex[pool[at + 4] ?? 0] +
    hex[pool[at + 5] ?? 0] +
    hex[pool[at + 6] ?? 0] +
    hex[pool[at + 7] ?? 0];
  return `${prefix}${hex[counter >> 8]?.slice(1)}${hex[counter & 0xff]}-${tail}`;
}

const idPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Whether the text is a UUIDv7 in its canonical lower-case form. */
export function isId(text: string): boolean {
  return idPattern.test(text);
}

/** The ms since the epoch at which an id was made. */
export function timeOfId(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/** The lowest id of a millisecond: `[firstIdAt(from), firstIdAt(to))` is a time range as an id range. */
export function firstIdAt(ms: number): string {
  const text = Math.max(0, Math.floor(ms)).toString(16).padStart(12, "0");
  return `${text.slice(0, 8)}-${text.slice(8)}-7000-8000-000000000000`;
}
