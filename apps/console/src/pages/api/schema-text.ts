import type { Schema } from "./openapi-document.ts";

type Named = Record<string, Schema>;

/**
 * A schema in the notation of a TypeScript type, with descriptions as comments. Named parts are inlined, which terminates because none in
 * the document is recursive.
 */
export function schemaText(schema: Schema, named: Named, indent = ""): string {
  const { type, properties, items, additionalProperties, ...other } = resolved(schema, named);
  const choices = other.anyOf ?? other.oneOf;
  if (choices) return choices.map((one) => schemaText(one, named, indent)).join(" | ");
  if (other.enum) return other.enum.map((one) => JSON.stringify(one)).join(" | ");
  if ("const" in other) return JSON.stringify(other.const);
  if (items) {
    const of = schemaText(items, named, indent);
    return of.includes(" | ") && !of.startsWith("{") ? `(${of})[]` : `${of}[]`;
  }
  if (properties && Object.keys(properties).length > 0) return objectText({ properties, required: other.required ?? [] }, named, indent);
  if (typeof additionalProperties === "object") return `{ [name]: ${schemaText(additionalProperties, named, indent)} }`;
  return [type ?? "unknown"].flat().join(" | ");
}

function objectText({ properties, required }: { properties: Named; required: string[] }, named: Named, indent: string): string {
  const inner = `${indent}  `;
  const lines = Object.entries(properties).map(([name, schema]) => {
    const { description, anyOf = [] } = resolved(schema, named);
    const field = `${inner}${name}${required.includes(name) ? "" : "?"}: ${schemaText(schema, named, inner)};`;
    const meaning = description ?? anyOf.map((one) => resolved(one, named).description).find(Boolean);
    return meaning === undefined ? field : commented(field, meaning);
  });
  return ["{", ...lines, `${indent}}`].join("\n");
}

/** Puts the description at the end of the field's first line. */
function commented(field: string, description: string): string {
  const [first, ...rest] = field.split("\n");
  return [`${first}  // ${description}`, ...rest].join("\n");
}

/** The schema with its reference resolved. */
function resolved(schema: Schema, named: Named): Schema {
  const name = schema.$ref?.split("/").at(-1);
  return name === undefined ? schema : { ...named[name], ...schema };
}

/** Bounds and default of a value: `1 … 200, default 20`; empty when there are none. */
export function boundsText(schema: Schema, words: { characters: string; byDefault: string }): string {
  const of = schema.anyOf?.find(({ type }) => type !== "null") ?? schema;
  // Limits of the number or time type itself are not worth showing.
  const most = (of.maximum ?? 0) >= 8.64e15 ? undefined : of.maximum;
  const range = (from: number | undefined, to: number | undefined, unit: string): string[] =>
    from === undefined && to === undefined ? [] : [`${from ?? ""} … ${to ?? ""}${unit}`.trim()];
  return [
    ...(of.format ? [of.format] : []),
    ...range(of.minimum, most, ""),
    ...range(of.minLength, of.maxLength, ` ${words.characters}`),
    ...range(of.minItems, of.maxItems, "×"),
    ...(schema.default == null ? [] : [`${words.byDefault} ${JSON.stringify(schema.default)}`]),
  ].join(", ");
}
