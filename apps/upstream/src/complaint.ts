import { SEAL } from "./answers/plan.ts";
import type { Call } from "./call.ts";

type Json = Record<string, unknown>;

const records = (value: unknown): Json[] =>
  Array.isArray(value) ? value.filter((item): item is Json => typeof item === "object" && item !== null) : [];

/** Sealed reasoning in a conversation, wherever the dialect keeps it. */
function sealsIn({ endpoint, body }: Call): unknown[] {
  if (endpoint === "responses") {
    return records(body.input)
      .filter(({ type }) => type === "reasoning")
      .map((item) => item.encrypted_content);
  }
  if (endpoint !== "messages") return [];
  return records(body.messages)
    .flatMap(({ content }) => records(content))
    .filter(({ type }) => type === "thinking")
    .map(({ signature }) => signature);
}

/** What a real provider verifies and refuses: reasoning that it did not create. null = no complaint. */
export function complaintOf(call: Call): string | null {
  return sealsIn(call).every((seal) => seal === SEAL) ? null : "Invalid signature in thinking block";
}
