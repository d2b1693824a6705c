import { z } from "zod";
import { dialectField, nameField } from "./provider.ts";

/** What happens when a rule matches: try another provider, retry the same one, or end here. */
export const errorRuleActions = ["failover", "retry", "answer"] as const;

/**
 * Redefines what a provider's error answer means. Every field that a rule sets must match; empty fields match anything. The
 * first matching rule applies.
 */
export const ErrorRule = z.strictObject({
  name: nameField,
  statuses: z.array(z.int().min(200).max(599)).max(20).default([]),
  /** A text contained in the answer (case-insensitive), or `/an RE2 expression/`. */
  body: z.string().max(300).default(""),
  /** Provider names. */
  providers: z.array(nameField).max(50).default([]),
  dialects: z.array(dialectField).max(3).default([]),
  action: z.enum(errorRuleActions),
  /** Replaces the provider's own status and message for the client, if this is the last answer. */
  status: z.int().min(400).max(599).nullable().default(null),
  message: z.string().trim().max(500).default(""),
});
export type ErrorRule = z.infer<typeof ErrorRule>;

/** Whether a rule's text is an expression. The server validates expressions, because browsers do not load RE2. */
export function isExpression(pattern: string): boolean {
  return pattern.length > 2 && pattern.startsWith("/") && pattern.endsWith("/");
}
