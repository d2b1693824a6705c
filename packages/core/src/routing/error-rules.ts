import { RE2JS } from "re2js";
import { type ErrorRule, isExpression } from "../inputs/error-rules.ts";
import type { DialectName } from "../requests.ts";
import { patternProblem } from "./model-patterns.ts";

/** A provider's error. */
export interface ProviderAnswer {
  status: number;
  /** Its body, or the message of an error inside a stream. */
  text: string;
  providerName: string;
  dialect: DialectName;
}

/** How much of an answer is matched: errors identify themselves at the beginning. */
const readChars = 4_096;

type Applies = (answer: ProviderAnswer) => boolean;

/** Compiled once per configuration. */
const compiled = new WeakMap<readonly ErrorRule[], readonly { rule: ErrorRule; applies: Applies }[]>();

/** The first rule that applies; null when none does. */
export function matchErrorRule(rules: readonly ErrorRule[], answer: ProviderAnswer): ErrorRule | null {
  if (rules.length === 0) return null;
  let list = compiled.get(rules);
  if (!list) {
    list = rules.map((rule) => ({ rule, applies: compile(rule) }));
    compiled.set(rules, list);
  }
  const seen = { ...answer, text: answer.text.slice(0, readChars) };
  return list.find(({ applies }) => applies(seen))?.rule ?? null;
}

function compile({ statuses, body, providers, dialects }: ErrorRule): Applies {
  const says = compileBody(body);
  return ({ status, text, providerName, dialect }) =>
    (statuses.length === 0 || statuses.includes(status)) &&
    (providers.length === 0 || providers.includes(providerName)) &&
    (dialects.length === 0 || dialects.includes(dialect)) &&
    says(text);
}

/** An invalid expression matches nothing. */
function compileBody(pattern: string): (text: string) => boolean {
  if (isExpression(pattern)) {
    if (patternProblem(pattern) !== null) return () => false;
    const expression = RE2JS.compile(pattern.slice(1, -1), RE2JS.CASE_INSENSITIVE);
    return (text) => expression.test(text);
  }
  const wanted = pattern.toLowerCase();
  return (text) => wanted === "" || text.toLowerCase().includes(wanted);
}
