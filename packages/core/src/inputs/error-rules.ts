import { z } from "zod";
import { dialectField, nameField } from "./provider.ts";

/** What is done when a rule applies: another provider, the same one once more, or an end here. */
export const errorRuleActions = ["failover", "retry", "answer"] as const;

/**
 * What an answer of a provider that is an error means, where it is not what its status says. All that a rule names must
 * apply; what it leaves empty may be anything. The first rule that applies counts.
 */
export const ErrorRule = z.strictObject({
  name: nameField,
  statuses: z.array(z.int().min(200).max(599)).max(20).default([]),
  /** Contained in the answer whatever the case, or `/an RE2 expression/`. */
  body: z.string().max(300).default(""),
  /** Names of providers. */
  providers: z.array(nameField).max(50).default([]),
  dialects: z.array(dialectField).max(3).default([]),
  action: z.enum(errorRuleActions),
  /** What the client is told in place of the provider's own, if this is the last answer. */
  status: z.int().min(400).max(599).nullable().default(null),
  message: z.string().trim().max(500).default(""),
});
export type ErrorRule = z.infer<typeof ErrorRule>;

/** Whether a rule's text is an expression. What an expression may be is the server's to check: browsers do not load RE2. */
export function isExpression(pattern: string): boolean {
  return pattern.length > 2 && pattern.startsWith("/") && pattern.endsWith("/");
}
