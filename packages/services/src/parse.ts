import { SluiceError } from "@sluice/core/errors";
import type { z } from "zod";

/**
 * Validates input and returns the schema's output.
 * @throws SluiceError `invalid_request` naming the first invalid field as the caller wrote it (`providers[0].name`).
 */
export function parse<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const result = schema.safeParse(input);
  if (result.success) {
    // Only after the schema, which bounds the depth of the input.
    const unstorable = pathOfUnstorable(input);
    if (unstorable) throw invalid(fieldName(unstorable), "contains a character that cannot be stored");
    return result.data;
  }
  const issue = result.error.issues[0];
  const path = [...(issue?.path ?? []), ...(issue?.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [])];
  throw invalid(fieldName(path), issue?.message);
}

function invalid(field: string, problem: string | undefined): SluiceError {
  const message = problem && `${field ? `${field}: ` : ""}${problem}`;
  return new SluiceError("invalid_request", { message, field: field || undefined });
}

/**
 * Path of a text with something that cannot be stored: NUL, which PostgreSQL refuses, or half of a surrogate pair, which UTF-8 cannot
 * encode and would silently become another character; null when there is none. Applies to all inputs, whatever their schema.
 */
function pathOfUnstorable(value: unknown): PropertyKey[] | null {
  if (typeof value === "string") return value.includes("\u0000") || !value.isWellFormed() ? [] : null;
  if (typeof value !== "object" || value === null) return null;
  const isList = Array.isArray(value);
  for (const [key, each] of Object.entries(value)) {
    const inside = isList ? null : pathOfUnstorable(key);
    const below = inside ?? pathOfUnstorable(each);
    if (below) return [isList ? Number(key) : key, ...below];
  }
  return null;
}

/** A path of keys and indexes in the usual notation (`a.b[0]`). */
export function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : text ? `${text}.${String(part)}` : String(part)),
    "",
  );
}
