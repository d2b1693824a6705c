type Json = Record<string, unknown>;

/** The plainest value that a JSON schema (or Google's upper-case form of one) allows, as far as clients ask for. */
function instanceOf({ type, properties, enum: choices, minimum }: Json): unknown {
  if (Array.isArray(choices)) return choices[0];
  switch (String(type).toLowerCase()) {
    case "object":
      return Object.fromEntries(Object.entries((properties ?? {}) as Record<string, Json>).map(([name, one]) => [name, instanceOf(one)]));
    case "array":
      return [];
    case "boolean":
      return false;
    case "integer":
    case "number":
      return minimum ?? 1;
    default:
      return "the sun";
  }
}

/** The text of an answer that must have a schema's shape: Gemini CLI asks so, and asks again when it gets prose. Null: prose will do. */
export function structuredText(body: Json): string | null {
  const config = body.generationConfig as Json | undefined;
  const schema = config?.responseJsonSchema ?? config?.responseSchema;
  return schema ? JSON.stringify(instanceOf(schema as Json)) : null;
}
