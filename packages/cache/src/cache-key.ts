import { createHash } from "node:crypto";

/**
 * One text for each value: properties in order, so that how an input was written does not matter, and each type in a form of its own,
 * so that no two values share one. A property that is undefined is none.
 * @throws TypeError for what no input has: functions, symbols, instances of classes other than Date.
 */
export function canonicalText(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "number":
      // NaN and the infinities are names, which JSON has not; both zeros are one.
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

/** 256 bits of it: nobody finds two values with one hash. */
export function hashOf(value: unknown): string {
  return createHash("sha256").update(canonicalText(value)).digest("base64url");
}
