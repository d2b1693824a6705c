import { unitAt } from "@sluice/core/string-methods";

/**
 * Rows in the binary format of COPY (PostgreSQL manual, "COPY", Binary Format): each value is a length and its bytes, big-endian.
 * It costs Postgres two thirds of what arrays of text do. Numbers that do not fit their type throw ERR_OUT_OF_RANGE.
 */
const SIGNATURE = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");
const END = Buffer.from([0xff, 0xff]);
/** Approximate chunk size: Postgres reads one chunk while the next is being encoded. */
const CHUNK_BYTES = 65_536;
const POSTGRES_EPOCH_MS = Date.UTC(2000, 0, 1);
const TEXT_OID = 25;
const SHORT_TEXT = 64;
const TWO_POW_32 = 2 ** 32;
const DASH = 0x2d;

/** The bytes of one COPY, a row of `fields` values for each item. */
export function* binaryCopy<T>(
  items: readonly T[],
  fields: number,
  write: (row: BinaryRow, item: T, index: number) => void,
): Generator<Buffer> {
  const row = new BinaryRow();
  row.bytes(SIGNATURE);
  let index = 0;
  for (const item of items) {
    row.begin(fields);
    write(row, item, index++);
    if (row.length >= CHUNK_BYTES) yield row.take();
  }
  row.bytes(END);
  yield row.take();
}

/** Takes the values of rows, in the order of their columns. */
export class BinaryRow {
  #buffer = Buffer.allocUnsafe(CHUNK_BYTES * 2);
  #end = 0;
  /** Encoded decimals by their text. They are multipliers, of which there are few. */
  readonly #decimals = new Map<string, Buffer>();

  get length(): number {
    return this.#end;
  }

  /** What has been written so far. The caller owns the buffer. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#end);
    this.#buffer = Buffer.allocUnsafe(CHUNK_BYTES * 2);
    this.#end = 0;
    return taken;
  }

  begin(fields: number): void {
    this.#room(2);
    this.#end = this.#buffer.writeInt16BE(fields, this.#end);
  }

  bytes(bytes: Buffer): void {
    this.#room(bytes.length);
    this.#end += bytes.copy(this.#buffer, this.#end);
  }

  text(value: string): void {
    const { length } = value;
    this.#room(4 + length * 3);
    const written = length < SHORT_TEXT ? this.#writeShort(value, this.#end + 4) : this.#buffer.write(value, this.#end + 4);
    this.#end = this.#buffer.writeInt32BE(written, this.#end) + written;
  }

  /** A text that is encoded already. */
  utf8(value: Buffer): void {
    this.#lengthOf(value.length);
    this.bytes(value);
  }

  boolean(value: boolean): void {
    this.#lengthOf(1);
    this.#end = this.#buffer.writeInt8(value ? 1 : 0, this.#end);
  }

  smallint(value: number): void {
    this.#lengthOf(2);
    this.#end = this.#buffer.writeInt16BE(value, this.#end);
  }

  integer(value: number | null): void {
    if (this.#wasNull(value)) return;
    this.#lengthOf(4);
    this.#end = this.#buffer.writeInt32BE(value, this.#end);
  }

  /** A safe integer, or any 64-bit integer as text. */
  bigint(value: number | string | null): void {
    if (this.#wasNull(value)) return;
    const number = Number(value);
    this.#lengthOf(8);
    if (Number.isSafeInteger(number)) {
      const high = Math.floor(number / TWO_POW_32);
      this.#end = this.#buffer.writeInt32BE(high, this.#end);
      this.#end = this.#buffer.writeUInt32BE(number - high * TWO_POW_32, this.#end);
    } else {
      this.#end = this.#buffer.writeBigInt64BE(BigInt(value), this.#end);
    }
  }

  uuid(value: string | null): void {
    if (this.#wasNull(value)) return;
    this.#lengthOf(16);
    const buffer = this.#buffer;
    const { length } = value;
    let end = this.#end;
    for (let at = 0; at < length; at += 2) {
      if (unitAt(value, at) === DASH) at++;
      buffer[end++] = (hexDigit(unitAt(value, at)) << 4) | hexDigit(unitAt(value, at + 1));
    }
    this.#end = end;
  }

  /** A moment in whole ms since the epoch. */
  timestamp(ms: number): void {
    this.bigint((ms - POSTGRES_EPOCH_MS) * 1_000);
  }

  /** The text of a decimal >= 0 with up to 8 digits before its point and 12 after it. */
  decimal(value: string | null): void {
    if (this.#wasNull(value)) return;
    let written = this.#decimals.get(value);
    if (!written) {
      written = numericOf(value);
      this.#decimals.set(value, written);
    }
    this.bytes(written);
  }

  texts(values: readonly string[]): void {
    this.#room(24);
    const start = this.#end;
    this.#end += 4;
    // An array: number of dimensions (0 when empty), has-nulls flag, element type; then the length and first index of each dimension.
    const head = values.length === 0 ? [0, 0, TEXT_OID] : [1, 0, TEXT_OID, values.length, 1];
    for (const number of head) this.#end = this.#buffer.writeInt32BE(number, this.#end);
    for (const value of values) this.text(value);
    this.#buffer.writeInt32BE(this.#end - start - 4, start);
  }

  /** Most texts are a few ASCII characters; calling out of JavaScript for them would cost more than encoding them here. */
  #writeShort(value: string, at: number): number {
    const buffer = this.#buffer;
    const { length } = value;
    for (let i = 0; i < length; i++) {
      const code = unitAt(value, i);
      if (code > 0x7f) return buffer.write(value, at);
      buffer[at + i] = code;
    }
    return length;
  }

  #wasNull(value: unknown): value is null {
    if (value !== null) return false;
    this.#room(4);
    this.#end = this.#buffer.writeInt32BE(-1, this.#end);
    return true;
  }

  #lengthOf(bytes: number): void {
    this.#room(4 + bytes);
    this.#end = this.#buffer.writeInt32BE(bytes, this.#end);
  }

  #room(bytes: number): void {
    if (this.#end + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#end + bytes));
    this.#buffer.copy(larger, 0, 0, this.#end);
    this.#buffer = larger;
  }
}

/** The value of a hex digit from its ASCII code: letters of either case lie 9 above the low bits of their code. */
function hexDigit(code: number): number {
  return (code & 0xf) + (code > 0x39 ? 9 : 0);
}

/** A numeric: byte length, number of base-10,000 digits, weight of the first one, sign, digits shown after the point, then the digits. */
function numericOf(value: string): Buffer {
  const [whole = "", part = ""] = value.split(".");
  const digits = whole.padStart(8, "0") + part.padEnd(12, "0");
  const bytes = Buffer.alloc(22);
  let end = bytes.writeInt32BE(18);
  for (const short of [5, 1, 0, 12]) end = bytes.writeInt16BE(short, end);
  for (let at = 0; at < 20; at += 4) end = bytes.writeInt16BE(Number(digits.slice(at, at + 4)), end);
  return bytes;
}
