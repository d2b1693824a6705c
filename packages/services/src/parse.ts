import { SluiceError } from "@sluice/core/errors";
import type { z } from "zod";

/**
 * Input → its checked form.
 * @throws SluiceError `invalid_request` naming the first field at fault as the caller wrote it (`providers[0].name`).
 */
export function parse<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = [...(issue?.path ?? []), ...(issue?.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [])];
  const field = fieldName(path);
  const message = issue ? `${field ? `${field}: ` : ""}${issue.message}` : undefined;
  throw new SluiceError("invalid_request", { message, field: field || undefined });
}

/** A path of keys and indexes as people write it. */
export function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : text ? `${text}.${String(part)}` : String(part)),
    "",
  );
}
