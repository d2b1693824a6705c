/**
 * Custom tools of OpenAI take plain text (a patch, a program). Other dialects call with JSON objects only, so such a
 * tool is offered to them as a function of one text `input`, and its calls are unwrapped on the way back.
 */
import { asRecord, asText, type JsonRecord, parseRecord } from "../json.ts";

/** The schema that a custom tool is offered with. */
export const customToolSchema: JsonRecord = {
  type: "object",
  properties: { input: { type: "string", description: "The tool's whole input, as plain text." } },
  required: ["input"],
  additionalProperties: false,
};

/** Plain text as the arguments of the function that stands for a custom tool. */
export function wrapCustomInput(input: string): string {
  return JSON.stringify({ input });
}

/** The plain text out of such arguments; arguments of any other shape are taken as they are. */
export function unwrapCustomInput(args: string): string {
  const input = parseRecord(args)?.input;
  return typeof input === "string" ? input : args;
}

/** What a custom tool's grammar says, for a model that is not held to it: put behind the description. */
export function describeFormat(format: unknown): string {
  const record = asRecord(format);
  const grammar = asRecord(record?.grammar) ?? record;
  const definition = asText(grammar?.definition);
  return definition === "" ? "" : `\n\nThe input must follow this ${asText(grammar?.syntax) || "lark"} grammar:\n${definition}`;
}
