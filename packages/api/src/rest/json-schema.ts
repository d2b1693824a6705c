import { z } from "zod";

/** The part of JSON Schema 2020-12 that zod writes and this package reads. */
export interface JsonSchema {
  type?: string;
  anyOf?: JsonSchema[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  $defs?: Record<string, JsonSchema>;
  [keyword: string]: unknown;
}

/** A zod schema as JSON Schema, of the values it accepts (`input`) or returns (`output`). */
export function jsonSchemaOf(schema: z.ZodType, io: "input" | "output"): JsonSchema {
  const { $schema: _, ...written } = z.toJSONSchema(schema, { io, unrepresentable: "any" }) as JsonSchema;
  return written;
}

export interface Parameter {
  name: string;
  /** The object field of the input that contains it; null = the input itself. */
  under: string | null;
  schema: JsonSchema;
  required: boolean;
}

/**
 * The parameters of an input: its fields, with an object field such as `filter` replaced by the fields of that object.
 * @throws Error when two have the same name.
 */
export function parametersOf(input: z.ZodObject): Parameter[] {
  const found = fieldsOf(jsonSchemaOf(input, "input"), null).flatMap((field) =>
    field.schema.properties ? fieldsOf(field.schema, field.name) : [field],
  );
  const names = new Set(found.map(({ name }) => name));
  if (names.size < found.length) throw new Error(`two parameters have one name: ${found.map(({ name }) => name).join(", ")}`);
  return found;
}

function fieldsOf({ properties = {}, required = [] }: JsonSchema, under: string | null): Parameter[] {
  return Object.entries(properties).map(([name, schema]) => ({ name, under, schema, required: under === null && required.includes(name) }));
}
