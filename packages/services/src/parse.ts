import { SluiceError } from "@sluice/core/errors";
import type { z } from "zod";

/**
 * Input → its checked form.
 * @throws SluiceError `invalid_request` naming the first field at fault as the caller wrote it (`providers[0].name`).
 */
export function parse<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const result = schema.safeParse(input);
  if (result.success) {
    // Only now: what a schema has passed is no deeper than it.
    const unstorable = pathOfUnstorable(input);
    if (unstorable) throw invalid(fieldName(unstorable), "holds a character that cannot be kept");
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
 * Where a text has what PostgreSQL refuses (NUL) or UTF-8 cannot say (half of a surrogate pair, which would be kept as another
 * character than was sent); null when there is none. Asked of every input at once, whatever its schema says of its texts.
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

/** A path of keys and indexes as people write it. */
export function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : text ? `${text}.${String(part)}` : String(part)),
    "",
  );
}
