type Json = Record<string, unknown>;

/** A minimal value that a JSON schema (or Google's variant with upper-case types) allows, as far as clients use schemas. */
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

/** The text of an answer that must match a schema: Gemini CLI demands it, and retries when it gets prose. null = prose is allowed. */
export function structuredText(body: Json): string | null {
  const config = body.generationConfig as Json | undefined;
  const schema = config?.responseJsonSchema ?? config?.responseSchema;
  return schema ? JSON.stringify(instanceOf(schema as Json)) : null;
}
