import { SluiceError } from "@sluice/core/errors";
import type { FastifyRequest } from "fastify";
import { type JsonSchema, type Parameter, parametersOf } from "./json-schema.ts";
import { hasBody, type Operation, pathFields } from "./operation.ts";

/** Creates the mapping from a request to the input of an operation's verb. The verb validates it; only malformed JSON is refused here. */
export function inputReader(operation: Operation): (request: FastifyRequest) => unknown {
  const { input, path } = operation;
  if (input === null) return (request) => refuseParameters(request.query as Record<string, unknown>);
  const parameters = new Map(parametersOf(input).map((parameter) => [parameter.name, parameter]));
  const ofPath = pathFields(path);
  return (request) => {
    const given = request.params as Record<string, unknown>;
    const named = Object.fromEntries(ofPath.map((name) => [name, given[name]]));
    if (!hasBody(operation)) return { ...readParameters(request.query as Record<string, unknown>, parameters), ...named };
    refuseParameters(request.query as Record<string, unknown>);
    return { ...readBody(request.body, ofPath), ...named };
  };
}

function refuseParameters(query: Record<string, unknown>): void {
  const [field] = Object.keys(query);
  if (field !== undefined) throw new SluiceError("invalid_request", { message: `${field}: Unrecognized parameter`, field });
}

/** Parameters are text: numbers and booleans are parsed, and text that does not look like one is left for the schema to refuse. */
function readParameters(query: Record<string, unknown>, known: ReadonlyMap<string, Parameter>): Record<string, unknown> {
  const entries: [string, unknown][] = [];
  const nested = new Map<string, [string, unknown][]>();
  for (const [name, value] of Object.entries(query)) {
    const parameter = known.get(name);
    const entry: [string, unknown] = [name, parameter ? typed(value, parameter.schema) : value];
    if (!parameter || parameter.under === null) entries.push(entry);
    else nested.set(parameter.under, [...(nested.get(parameter.under) ?? []), entry]);
  }
  // Object.fromEntries instead of assignment, which would treat `__proto__` specially.
  return Object.fromEntries([...entries, ...[...nested].map(([name, fields]) => [name, Object.fromEntries(fields)])]);
}

function typed(value: unknown, schema: JsonSchema): unknown {
  const of = schema.anyOf?.find(({ type }) => type !== "null") ?? schema;
  if (of.type === "array") return [value].flat().map((item) => typed(item, of.items ?? {}));
  if (typeof value !== "string") return value;
  if ((of.type === "integer" || of.type === "number") && /^-?\d{1,16}(\.\d{1,16})?$/.test(value)) return Number(value);
  if (of.type === "boolean" && (value === "true" || value === "false")) return value === "true";
  return value;
}

/** @throws SluiceError `invalid_json`; `invalid_request` when the body is not an object or repeats a field of the path. */
function readBody(text: unknown, ofPath: readonly string[]): Record<string, unknown> {
  if (text === undefined || text === "") return {};
  let body: unknown;
  try {
    body = JSON.parse(String(text));
  } catch {
    throw new SluiceError("invalid_json");
  }
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw new SluiceError("invalid_request", { message: "The body must be a JSON object." });
  for (const field of ofPath)
    if (Object.hasOwn(body, field)) throw new SluiceError("invalid_request", { message: `${field}: is given by the path`, field });
  return body as Record<string, unknown>;
}
