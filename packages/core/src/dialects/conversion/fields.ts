import { SluiceError } from "../../errors.ts";
import { asRecord, type JsonRecord } from "../json.ts";

/** Refuses what cannot be asked of a provider of another dialect. `field` is the path as the client wrote it. */
export function refuse(field: string, why: string): never {
  throw new SluiceError("not_convertible", { message: `'${field}' ${why}`, field });
}

/** Refuses a field whose value is invalid in its own dialect. */
export function malformed(field: string, what: string): never {
  throw new SluiceError("invalid_request", { message: `'${field}' must be ${what}.`, field });
}

export function optionalNumber(record: JsonRecord, name: string): number | null {
  const value = record[name];
  if (value === undefined || value === null) return null;
  return typeof value === "number" && Number.isFinite(value) ? value : malformed(name, "a number");
}

export function optionalText(record: JsonRecord, name: string): string | null {
  const value = record[name];
  if (value === undefined || value === null) return null;
  return typeof value === "string" ? value : malformed(name, "a text");
}

/** A required string at `path`. */
export function textAt(value: unknown, path: string): string {
  return typeof value === "string" ? value : malformed(path, "a text");
}

export function recordAt(value: unknown, path: string): JsonRecord {
  return asRecord(value) ?? malformed(path, "an object");
}

/** Absent and null count as an empty list. */
export function listAt(value: unknown, path: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : malformed(path, "a list");
}

/**
 * How each top-level field of a request is handled: kept (a reader uses it), dropped (left out and named in the answer's
 * header), or a text: the reason for which it is refused. Fields that are not listed are dropped: clients learn new
 * options faster than gateways do, and they are told.
 */
export type FieldRules = Readonly<Record<string, "kept" | "dropped" | string>>;

/** Applies the rules and returns the names of dropped fields. A value that is off (null, false, empty) is never dropped or refused. */
export function sortFields(body: JsonRecord, rules: FieldRules): string[] {
  const dropped: string[] = [];
  for (const [name, value] of Object.entries(body)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : "dropped";
    if (rule === "kept" || isOff(value)) continue;
    if (rule === undefined || rule === "dropped") dropped.push(name);
    else refuse(name, rule);
  }
  return dropped;
}

export function isOff(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  const record = asRecord(value);
  return record !== null && Object.keys(record).length === 0;
}
