/**
 * OpenAI's custom tools take plain text (a patch, a program). Other dialects only pass JSON objects, so such a tool is
 * offered there as a function with one string `input`, and its calls are unwrapped on the way back.
 */
import { asRecord, asText, type JsonRecord, parseRecord } from "../json.ts";

/** The schema with which a custom tool is offered. */
export const customToolSchema: JsonRecord = {
  type: "object",
  properties: { input: { type: "string", description: "The tool's whole input, as plain text." } },
  required: ["input"],
  additionalProperties: false,
};

/** Wraps plain text as the arguments of the function that stands for a custom tool. */
export function wrapCustomInput(input: string): string {
  return JSON.stringify({ input });
}

/** Unwraps the plain text; arguments of any other shape are returned unchanged. */
export function unwrapCustomInput(args: string): string {
  const input = parseRecord(args)?.input;
  return typeof input === "string" ? input : args;
}

/** A custom tool's grammar as an addition to its description, for models that are not constrained by it. */
export function describeFormat(format: unknown): string {
  const record = asRecord(format);
  const grammar = asRecord(record?.grammar) ?? record;
  const definition = asText(grammar?.definition);
  return definition === "" ? "" : `\n\nThe input must follow this ${asText(grammar?.syntax) || "lark"} grammar:\n${definition}`;
}
