import { appRouter, procedures } from "@sluice/api/router";
import { dialects } from "@sluice/core/dialects/registry";
import { matchRoute } from "@sluice/core/dialects/routes";
import { errorCatalogue, SluiceError } from "@sluice/core/errors";
import { z } from "zod";

/** The part of z.toJSONSchema's output that is used. */
interface Shape {
  type?: string;
  enum?: unknown[];
  const?: unknown;
  properties?: Record<string, Shape>;
  required?: string[];
  items?: Shape;
  anyOf?: Shape[];
}

/** What clients, scripts and other tools rely on. */
export interface Contract {
  /** `POST /v1/messages` → its kind. */
  routes: Record<string, string>;
  /** Code → status and whether clients may retry. */
  errors: Record<string, { status: number; retryable: boolean }>;
  /** The error as a body and inside a stream, by dialect (and endpoint). */
  errorShapes: Record<string, string>;
  /** `keys.list` → its type, access and input. */
  procedures: Record<string, { type: string; access: string; input: Shape | null }>;
}

const paths = [
  ...["/v1/messages", "/v1/messages/count_tokens", "/v1/chat/completions", "/v1/responses", "/v1/embeddings"].map((path) => `POST ${path}`),
  ...["v1", "v1beta"].flatMap((version) =>
    ["generateContent", "streamGenerateContent?alt=sse", "countTokens"].map((verb) => `POST /${version}/models/m:${verb}`),
  ),
  ...["/v1/models", "/v1/models/m", "/v1beta/models", "/v1beta/models/m"].map((path) => `GET ${path}`),
];

/** The contract of this version. */
export function currentContract(): Contract {
  const error = new SluiceError("upstream_overloaded", { message: "A message.", retryAfterS: 7, field: "model" });
  const shapes = Object.values(dialects).flatMap((dialect): [string, string][] => [
    [`${dialect.name} body`, dialect.errorBody(error, "the-request-id")],
    [`${dialect.name} event`, dialect.errorEvent(error, "the-request-id")],
  ]);
  return {
    routes: Object.fromEntries(
      paths.map((path) => {
        const [method = "", target = ""] = path.split(" ");
        const route = matchRoute(method, target);
        return [path, route ? `${route.dialect} ${route.endpoint}` : "nothing"];
      }),
    ),
    errors: Object.fromEntries(Object.entries(errorCatalogue).map(([code, { status, retryable }]) => [code, { status, retryable }])),
    errorShapes: Object.fromEntries([
      ...shapes,
      ["openai responses event", dialects.openai.errorEvent(error, "the-request-id", "responses")],
    ]),
    procedures: Object.fromEntries(procedures.map(({ path, type, access }) => [path, { type, access, input: inputOf(path) }])),
  };
}

function inputOf(path: string): Shape | null {
  const all = appRouter._def.procedures as unknown as Record<string, { _def: { inputs: { schema?: z.ZodType }[] } }>;
  const schema = all[path]?._def.inputs[0]?.schema;
  return schema ? (z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Shape) : null;
}

/** One line per entry, so that diffs are readable: `part name json`, separated by tabs. */
export function writeContract(contract: Contract): string {
  const lines = Object.entries(contract).flatMap(([part, entries]) =>
    Object.entries(entries as Record<string, unknown>).map(([name, entry]) => `${part}\t${name}\t${JSON.stringify(entry)}\n`),
  );
  return lines.join("");
}

export function readContract(text: string): Contract {
  const contract: Record<string, Record<string, unknown>> = { routes: {}, errors: {}, errorShapes: {}, procedures: {} };
  for (const line of text.split("\n")) {
    const [part = "", name = "", json] = line.split("\t");
    const entries = contract[part];
    if (entries && json !== undefined) entries[name] = JSON.parse(json);
  }
  return contract as unknown as Contract;
}

/** Each level admits the ones after it. */
const levels = ["public", "key", "user", "admin"];

/** Changes that would break a client of the earlier version; additions do not. */
export function breaks(before: Contract, now: Contract): string[] {
  const found: string[] = [];
  const same = (what: string, was: unknown, is: unknown): void => {
    if (JSON.stringify(was) !== JSON.stringify(is)) found.push(`${what}: ${JSON.stringify(was)} became ${JSON.stringify(is) ?? "nothing"}`);
  };
  for (const part of ["routes", "errors", "errorShapes"] as const)
    for (const [name, was] of Object.entries(before[part])) same(`${part} ${name}`, was, now[part][name]);
  for (const [name, was] of Object.entries(before.procedures)) {
    const is = now.procedures[name];
    same(`procedure ${name}`, was.type, is?.type);
    // Only a stricter level breaks callers.
    if (is && levels.indexOf(is.access) > levels.indexOf(was.access)) same(`access to ${name}`, was.access, is.access);
    if (is && was.input) found.push(...narrower(`procedure ${name}`, was.input, is.input ?? {}));
    if (is?.input && !was.input && (is.input.required?.length ?? 0) > 0) found.push(`procedure ${name}: takes an input now`);
  }
  return found;
}

/** Where an input that was accepted no longer is, judged by types, values and required fields. */
function narrower(where: string, was: Shape, is: Shape): string[] {
  const found: string[] = [];
  for (const name of is.required ?? []) if (!was.required?.includes(name)) found.push(`${where}.${name}: is required now`);
  for (const [name, field] of Object.entries(was.properties ?? {})) {
    const now = is.properties?.[name];
    if (now) found.push(...narrower(`${where}.${name}`, field, now));
    else found.push(`${where}.${name}: is not taken any more`);
  }
  if (was.items && is.items) found.push(...narrower(`${where}[]`, was.items, is.items));
  const missing = (was.enum ?? []).filter((value) => is.enum && !is.enum.includes(value));
  if (missing.length > 0) found.push(`${where}: ${missing.join(", ")} is not taken any more`);
  const types = (shape: Shape): string[] => (shape.anyOf ? shape.anyOf.flatMap(types) : shape.type ? [shape.type] : []);
  const [before, after] = [types(was), types(is)];
  const lost = before.filter((type) => after.length > 0 && !after.includes(type) && !(type === "integer" && after.includes("number")));
  if (lost.length > 0) found.push(`${where}: was ${lost.join(" or ")}, is ${after.join(" or ")}`);
  return found;
}
