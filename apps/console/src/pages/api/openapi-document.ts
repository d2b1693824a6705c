import { failureOf, PlainError } from "../../api/failure.ts";

/** The part of JSON Schema that the gateway's document uses and this page shows. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  description?: string;
  default?: unknown;
  format?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
}

type Content = Record<string, { schema?: Schema }>;

interface Described {
  operationId: string;
  tags: string[];
  summary: string;
  /** The least role that may call it (core's roles), which determines the credentials. */
  "x-access": Access;
  parameters?: { name: string; in: "path" | "query"; required: boolean; schema: Schema }[];
  requestBody?: { content: Content };
  responses: Record<string, { description?: string; content?: Content }>;
}

/** The gateway's OpenAPI document, as far as this page reads it. */
export interface OpenApiDocument {
  info: { version: string };
  paths: Record<string, Record<string, Described>>;
  components: { schemas: Record<string, Schema> };
}

/** The least role that may call it. */
export type Access = "key" | "user" | "admin";

/** A value sent with a call. */
export interface Parameter {
  name: string;
  in: "path" | "query" | "body";
  required: boolean;
  schema: Schema;
}

/** An operation, prepared for display. */
export interface Operation {
  id: string;
  tag: string;
  method: string;
  path: string;
  summary: string;
  access: Access;
  parameters: Parameter[];
  /** The successful answer; without a type there is no body. */
  answer: { status: string; type?: string; schema?: Schema };
}

export const documentPath = "/api/v1/openapi.json";

/** Reads the document from this gateway. @throws PlainError. */
export async function readDocument(): Promise<OpenApiDocument> {
  const response = await fetch(documentPath).catch(() => null);
  if (!response?.ok) throw new PlainError(failureOf({}, response?.status ?? 0));
  return (await response.json()) as OpenApiDocument;
}

/** Every operation, in the order of the document. */
export function operationsOf({ paths }: OpenApiDocument): Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => ({
      id: described.operationId,
      tag: described.tags[0] ?? "",
      method: method.toUpperCase(),
      path,
      summary: described.summary,
      access: described["x-access"],
      parameters: [...(described.parameters ?? []), ...fieldsOf(described.requestBody?.content)],
      answer: answerOf(described.responses),
    })),
  );
}

function fieldsOf(content: Content | undefined): Parameter[] {
  const { properties = {}, required = [] } = content?.["application/json"]?.schema ?? {};
  return Object.entries(properties).map(([name, schema]) => ({ name, in: "body", required: required.includes(name), schema }));
}

function answerOf(responses: Described["responses"]): Operation["answer"] {
  const [status = "", { content = {} } = {}] = Object.entries(responses).find(([code]) => code.startsWith("2")) ?? [];
  const types = Object.keys(content);
  if (types.length === 0) return { status };
  const schema = types.length === 1 ? content["application/json"]?.schema : undefined;
  return { status, type: types.join(", "), ...(schema && { schema }) };
}
