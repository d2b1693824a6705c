import { errorCatalogue } from "@sluice/core/errors";
import type { Access } from "@sluice/services/access";
import { z } from "zod";
import { type JsonSchema, jsonSchemaOf, parametersOf } from "./json-schema.ts";
import { basePath, hasBody, isDownload, type Operation, pathFields } from "./operation.ts";

const description = `The figures, the log and the accounts of this gateway, for programs.

**Credentials.** A login (the cookie that \`POST /auth/login\` sets; calls that change something need the \`Origin\` of the console), or a key as
\`Authorization: Bearer sk-sluice-…\`. A key is read-only and sees only its own data: nothing of its owner's other keys, and no more if
its owner is an administrator. If both are sent, the key is used.

**Values.** Amounts of money that end in \`NanoUsd\` are signed decimal integers as text (10⁻⁹ USD), those in \`Usd\` plain decimals. Times that end
in \`Ms\` and \`asOf\` are milliseconds since 1970 in UTC, or durations in milliseconds. Lists are paged by \`cursor\`, or by page number if the path ends in
\`pages\`. Repeat a parameter to pass several values.

**Errors** have one shape, with a stable code, the request id and the field at fault.`;

const error = z
  .object({
    error: z.object({
      code: z.enum(Object.keys(errorCatalogue) as [string, ...string[]]),
      message: z.string(),
      requestId: z.string(),
      retryable: z.boolean(),
      field: z.string().optional(),
    }),
  })
  .meta({ description: "The shape of every error." });

const security: Record<Access, Record<string, string[]>[]> = {
  public: [],
  key: [{ login: [] }, { key: [] }],
  user: [{ login: [] }],
  admin: [{ login: [] }],
};

const fileTypes = { csv: "text/csv", json: "application/json" } as const;

export interface DocumentOptions {
  operations: readonly Operation[];
  version: string;
  publicUrl: string;
  cookieName: string;
}

/** The OpenAPI 3.1 document, generated from the schemas that validate requests and filter answers. */
export function openApiDocument({ operations, version, publicUrl, cookieName }: DocumentOptions): object {
  const schemas: Record<string, JsonSchema> = { Error: jsonSchemaOf(error, "output") };
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of operations) {
    const path = `${basePath}${operation.path}`;
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: operationObject(operation, schemas) };
  }
  return {
    openapi: "3.1.1",
    info: { title: "Sluice", version, description, license: { name: "MIT", identifier: "MIT" } },
    servers: [{ url: publicUrl }],
    tags: [...new Set(operations.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas,
      responses: {
        Error: { description: "The request was refused or failed.", content: jsonContent({ $ref: "#/components/schemas/Error" }) },
      },
      securitySchemes: {
        login: { type: "apiKey", in: "cookie", name: cookieName },
        key: { type: "http", scheme: "bearer", bearerFormat: "sk-sluice-…" },
      },
    },
  };
}

function operationObject(operation: Operation, schemas: Record<string, JsonSchema>): object {
  const { id, tag, summary, access } = operation;
  return {
    operationId: id,
    tags: [tag],
    summary: access === "admin" ? `${summary} (administrators)` : summary,
    security: security[access],
    // `security` cannot express that an operation requires an administrator.
    "x-access": access,
    ...taken(operation, schemas),
    responses: { ...told(operation, schemas), default: { $ref: "#/components/responses/Error" } },
  };
}

function taken(operation: Operation, schemas: Record<string, JsonSchema>): object {
  const { input, path } = operation;
  if (!input) return {};
  const ofPath = pathFields(path);
  const all = parametersOf(input);
  const isOfPath = (name: string): boolean => ofPath.includes(name);
  const inPath = all
    .filter(({ name }) => isOfPath(name))
    .map(({ name, schema }) => ({ name, in: "path", required: true, schema: hoisted(schema, schemas) }));
  if (!hasBody(operation)) {
    const inQuery = all
      .filter(({ name }) => !isOfPath(name))
      .map(({ name, schema, required }) => ({ name, in: "query", required, schema: hoisted(parameterSchema(schema), schemas) }));
    return { parameters: [...inPath, ...inQuery] };
  }
  const { properties = {}, required = [], ...rest } = hoisted(jsonSchemaOf(input, "input"), schemas);
  const body = {
    ...rest,
    properties: Object.fromEntries(Object.entries(properties).filter(([name]) => !isOfPath(name))),
    required: required.filter((name) => !isOfPath(name)),
  };
  return { parameters: inPath, requestBody: { required: body.required.length > 0, content: jsonContent(body) } };
}

/** Query parameters are omitted where JSON would have null, so null is removed from the schema. */
function parameterSchema({ anyOf, ...schema }: JsonSchema): JsonSchema {
  const [only, more] = anyOf?.filter(({ type }) => type !== "null") ?? [];
  return only && !more ? { ...schema, ...only } : { ...schema, ...(anyOf && { anyOf }) };
}

function told({ answer, method, path }: Operation, schemas: Record<string, JsonSchema>): object {
  if (answer === null) return { 204: { description: "Done." } };
  const head = { description: "The response." };
  if (isDownload(answer)) {
    const content = Object.values(fileTypes).map((type) => [type, { schema: { type: "string" } }]);
    return {
      200: { ...head, description: "The file. If the connection breaks off, it is incomplete.", content: Object.fromEntries(content) },
    };
  }
  return { [statusOf({ method, path })]: { ...head, content: jsonContent(hoisted(jsonSchemaOf(answer, "output"), schemas)) } };
}

/** 201 for operations that create something under a new path, otherwise 200. */
export function statusOf({ method, path }: Pick<Operation, "method" | "path">): 200 | 201 {
  return method === "POST" && !path.includes("{") ? 201 : 200;
}

function jsonContent(schema: JsonSchema): object {
  return { "application/json": { schema } };
}

/** Schemas with an id become components, once for the whole document. */
function hoisted({ $defs = {}, ...schema }: JsonSchema, schemas: Record<string, JsonSchema>): JsonSchema {
  for (const [name, part] of Object.entries($defs)) schemas[name] ??= relinked(withoutId(part));
  const { id } = schema;
  if (typeof id !== "string") return relinked(schema);
  schemas[id] ??= relinked(withoutId(schema));
  return { $ref: `#/components/schemas/${id}` };
}

function withoutId({ id: _, ...schema }: JsonSchema): JsonSchema {
  return schema;
}

function relinked(schema: JsonSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')) as JsonSchema;
}
