import { createHash } from "node:crypto";

/**
 * A canonical text: properties are sorted, so that their order does not matter, and types are kept distinct, so that no two different
 * values share a text. A property that is undefined counts as absent.
 * @throws TypeError for values that inputs cannot contain: functions, symbols, instances of classes other than Date.
 */
export function canonicalText(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "number":
      // NaN and the infinities, which JSON lacks, are written as names; -0 equals 0.
      return String(value === 0 ? 0 : value);
    case "boolean":
    case "undefined":
      return String(value);
    case "bigint":
      return `${value}n`;
    case "object":
      return value === null ? "null" : textOfObject(value);
    default:
      throw new TypeError(`A ${typeof value} cannot be part of a cache key.`);
  }
}

function textOfObject(value: object): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join()}]`;
  if (value instanceof Date) return `@${value.getTime()}`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw new TypeError("Only plain objects can be part of a cache key.");
  const properties = Object.entries(value).filter(([, each]) => each !== undefined);
  properties.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${properties.map(([name, each]) => `${JSON.stringify(name)}:${canonicalText(each)}`).join()}}`;
}

/** 256 bits, so that nobody can construct a collision. */
export function hashOf(value: unknown): string {
  return createHash("sha256").update(canonicalText(value)).digest("base64url");
}
