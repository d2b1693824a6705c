/** The field of the rule in a refusal by the server: `routing.rules[2].models[0]` → `models`. */
export function ruleField(field: string): string {
  return /^[\w.]+\[\d+\]\.(\w+)/.exec(field)?.[1] ?? "";
}
