import { SluiceError } from "../errors.ts";

/** A member of the scanned object. The span is that of its value, including quotes or braces. */
export interface Member {
  name: string;
  start: number;
  end: number;
}

export interface ObjectScan {
  /** Offset just after the object's opening brace, where a member may be spliced in. */
  open: number;
  members: Member[];
  /** Bytes in long base64 strings (images, files), which are not text and are estimated differently. */
  binaryBytes: number;
  binaries: number;
}

/** Maximum nesting of a request body; the body's own object is level 1. */
export const MAX_DEPTH = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BINARY_FROM_BYTES = 4096;
const base64Sample = /^[A-Za-z0-9+/_=-]+$/;

/** Offset of the quote that closes the string opened at `at`; `end` when there is none. */
function closingQuote(bytes: Buffer, at: number, end: number): number {
  let i = at + 1;
  // Short strings by a loop, long ones by the native search, whose call costs more than 32 steps of the loop.
  const near = Math.min(end, i + 32);
  for (; i < near; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) return i;
    if (byte === BACKSLASH) i++;
  }
  while (i < end) {
    const quote = bytes.indexOf(QUOTE, i);
    if (quote < 0 || quote >= end) return end;
    let slashes = 0;
    while (quote - slashes - 1 > at && bytes[quote - slashes - 1] === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return quote;
    i = quote + 1;
  }
  return end;
}

function readName(bytes: Buffer, open: number, close: number): string {
  const raw = bytes.toString("utf8", open + 1, close);
  if (!raw.includes("\\")) return raw;
  try {
    const name: unknown = JSON.parse(`"${raw}"`);
    return typeof name === "string" ? name : raw;
  } catch {
    return raw;
  }
}

/**
 * Scans raw JSON bytes in one pass: the top-level members of the object in [from, end) with their byte spans and
 * unescaped names. Invalid JSON must be refused by a real parse; here it only guarantees termination. It works on bytes
 * because spans are spliced into the original, which must keep every other byte.
 * @throws SluiceError too_deep.
 */
export function scanObject(bytes: Buffer, from = 0, end = bytes.length): ObjectScan {
  const scan: ObjectScan = { open: -1, members: [], binaryBytes: 0, binaries: 0 };
  let depth = 0;
  let isObject = false;
  let name: string | null = null;
  let hasColon = false;
  let valueStart = -1;
  let lastByte = -1;
  const finishMember = () => {
    if (name !== null && hasColon && valueStart >= 0) scan.members.push({ name, start: valueStart, end: lastByte + 1 });
    name = null;
    hasColon = false;
    valueStart = -1;
  };
  for (let i = from; i < end; i++) {
    const byte = bytes[i];
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) continue;
    if (depth === 1 && isObject) {
      if (byte === 0x2c || byte === 0x7d) {
        finishMember();
      } else if (byte === 0x3a && !hasColon) {
        hasColon = true;
        continue;
      } else if (hasColon && valueStart < 0) {
        valueStart = i;
      }
    }
    if (byte === QUOTE) {
      const close = closingQuote(bytes, i, end);
      if (depth === 1 && isObject && !hasColon) name = readName(bytes, i, close);
      if (close - i > BINARY_FROM_BYTES && base64Sample.test(bytes.toString("latin1", i + 257, i + 513))) {
        scan.binaryBytes += close - i;
        scan.binaries++;
      }
      i = close;
    } else if (byte === 0x7b || byte === 0x5b) {
      depth++;
      if (depth > MAX_DEPTH) throw new SluiceError("too_deep");
      if (depth === 1) {
        isObject = byte === 0x7b;
        scan.open = i + 1;
      }
    } else if (byte === 0x7d || byte === 0x5d) {
      depth--;
      if (depth === 0) return scan;
    }
    lastByte = i;
  }
  return scan;
}
