import { type CurlCall, curlCommand, type System } from "../../ui/snippet-text.ts";
import type { Operation, Parameter, Schema } from "./openapi-document.ts";

/** Placeholder for the secret, as in the snippets of a key. */
const KEY = "YOUR_SLUICE_KEY";
/** The file in which curl stores the login. */
const COOKIES = "cookies.txt";

/**
 * A curl call of an operation: required values are filled in, with a placeholder (`USER_ID`) where no value is obvious. Operations that
 * accept a key are called by a key, the others with a login.
 */
export function exampleCall({ method, path, access, parameters }: Operation, base: string, system: System): string {
  const needed = (place: Parameter["in"]): Parameter[] => parameters.filter((one) => one.in === place && one.required);
  const query = needed("query").flatMap(({ name, schema }) => [sampleOf(schema, name)].flat().map((value) => `${name}=${value}`));
  const body = bodyOf(parameters);
  const byLogin = access !== "key";
  return curlCommand(system, {
    ...(method !== "GET" && !(method === "POST" && body) && { method }),
    url: base + filled(path) + (query.length > 0 ? `?${query.join("&")}` : ""),
    ...(byLogin && { options: [`-b ${COOKIES}`] }),
    headers: byLogin ? (method === "GET" ? [] : [`origin: ${base}`]) : [`authorization: Bearer ${KEY}`],
    ...(body && { body }),
  });
}

/** Signs in with curl, once, for operations that need a login. */
export function signInCall(base: string, system: System): string {
  const call: CurlCall = {
    url: `${base}/auth/login`,
    options: [`-c ${COOKIES}`],
    headers: [`origin: ${base}`],
    body: { email: "you@example.com", password: "PASSWORD" },
  };
  return curlCommand(system, call);
}

function filled(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => standIn(name));
}

/** The required fields of the body; if there are none, the first optional one. */
function bodyOf(parameters: readonly Parameter[]): object | null {
  const fields = parameters.filter((one) => one.in === "body");
  if (fields.length === 0) return null;
  const needed = fields.filter(({ required }) => required);
  const sent = needed.length > 0 ? needed : fields.slice(0, 1);
  return Object.fromEntries(sent.map(({ name, schema }) => [name, sampleOf(schema, name)]));
}

/** A value that the schema accepts. */
function sampleOf(schema: Schema, name: string): unknown {
  if (schema.anyOf) return sampleOf(schema.anyOf.find(({ type }) => type !== "null") ?? {}, name);
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  if (schema.type === "array") {
    const [{ items = {}, minItems = 1 }, one] = [schema, name.replace(/s$/, "")];
    return Array.from({ length: minItems }, (_, at) => sampleOf(items, minItems > 1 ? `${one}_${at + 1}` : one));
  }
  if (schema.type === "integer" || schema.type === "number") return schema.minimum ?? 1;
  if (schema.type === "boolean") return true;
  if (schema.format === "email") return "you@example.com";
  return name.endsWith("Usd") ? "12.50" : standIn(name);
}

/** `userId` → `USER_ID`. */
function standIn(name: string): string {
  return name.replaceAll(/([a-z])([A-Z])/g, "$1_$2").toUpperCase();
}
