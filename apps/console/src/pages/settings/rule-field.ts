/** Of `routing.rules[2].models[0]`, as the server names what it refuses in a list of rules, the field of the rule: `models`. */
export function ruleField(field: string): string {
  return /^[\w.]+\[\d+\]\.(\w+)/.exec(field)?.[1] ?? "";
}
