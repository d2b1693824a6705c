import { describe, expect, test } from "vitest";
import { convertRequest } from "./pairs.ts";

const messages = [{ role: "user", content: "hi" }];

function sentFrom(from: "chat" | "responses", schema: object): unknown {
  const format = { name: "x", schema, strict: true };
  const asked = {
    chat: { model: "m", messages, response_format: { type: "json_schema", json_schema: format } },
    responses: { model: "m", input: "hi", text: { format: { type: "json_schema", ...format } } },
  };
  return JSON.parse(convertRequest([from, "anthropic"], asked[from]).body.toString()).output_config.format.schema;
}

/** As OpenAI's zod helper writes them; OpenAI accepts such bounds even when strict. */
const bounded = {
  $schema: "http://json-schema.org/draft-07/schema#",
  type: "object",
  properties: {
    name: { type: "string", description: "Who.", minLength: 1, maxLength: 20 },
    mail: { type: "string", format: "email", pattern: "^.+@.+$" },
    age: { anyOf: [{ type: "integer", minimum: 0, maximum: 130 }, { type: "null" }] },
    tags: { type: "array", items: { type: "string", format: "regex" }, minItems: 2 },
    kind: { type: "string", enum: ["a", "b"] },
  },
  required: ["name", "mail", "age", "tags", "kind"],
  additionalProperties: false,
};

describe("a schema for Anthropic, which refuses the whole request for a keyword that it does not know", () => {
  test.each(["chat", "responses"] as const)("tells bounds in the description instead, from %s", (from) => {
    expect(sentFrom(from, bounded)).toEqual({
      type: "object",
      properties: {
        name: { type: "string", description: 'Who.\n\nMust also satisfy: {"minLength":1,"maxLength":20}' },
        mail: { type: "string", format: "email", description: 'Must also satisfy: {"pattern":"^.+@.+$"}' },
        age: {
          anyOf: [{ type: "integer", description: 'Must also satisfy: {"minimum":0,"maximum":130}' }, { type: "null" }],
        },
        tags: {
          type: "array",
          items: { type: "string", description: 'Must also satisfy: {"format":"regex"}' },
          description: 'Must also satisfy: {"minItems":2}',
        },
        kind: { type: "string", enum: ["a", "b"] },
      },
      required: ["name", "mail", "age", "tags", "kind"],
      additionalProperties: false,
    });
  });

  test("has closed objects unless they describe further properties; properties called like keywords stay", () => {
    const node = { type: "object", properties: { next: { $ref: "#/$defs/node" } } };
    const nullable = { type: ["object", "null"], properties: { maxLength: { const: 1 } } };
    const list = { type: "array", items: { type: "string", format: "uri" }, minItems: 1 };
    const open = { type: "object", additionalProperties: { type: "number" } };
    const properties = { minimum: nullable, one: { oneOf: [{ type: "string" }, { type: "object" }] }, open, list };
    expect(sentFrom("chat", { $defs: { node }, type: "object", properties })).toEqual({
      $defs: { node: { ...node, additionalProperties: false } },
      type: "object",
      properties: {
        minimum: { ...nullable, additionalProperties: false },
        one: { anyOf: [{ type: "string" }, { type: "object", additionalProperties: false }] },
        open,
        list,
      },
      additionalProperties: false,
    });
  });
});
