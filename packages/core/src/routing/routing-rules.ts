/**
 * Which rule decides where a request goes: the first enabled one whose conditions all apply. Pure, compiled once per
 * configuration, in time linear in the text matched. A canary selects sessions by a hash of their id, so a session stays where
 * it is on every instance and after a restart, and the sessions selected at 10 % are among those selected at 50 %.
 */
import type { RoutingRule } from "../inputs/routing-rules.ts";
import type { DecisionRule, DialectName } from "../requests.ts";
import { matchesAny, patternProblem } from "./model-patterns.ts";
import { scheduleAt } from "./schedule.ts";

/** The properties of a request that rules can match. */
export interface RuleSubject {
  model: string;
  keyId: string;
  userEmail: string;
  dialect: DialectName;
  /** Names in lower case. */
  headers: Readonly<Record<string, string | undefined>>;
  /** Without the query; '' = unknown, so rules about paths do not apply. */
  path: string;
  bodyBytes: number;
  /** The session, or the request if it has none; '' = unknown, so canaries do not apply. */
  stickyId: string;
  /** Wall time, ms. */
  nowMs: number;
}

type Applies = (subject: RuleSubject) => boolean;

/** How much of a header is matched. */
const headerChars = 200;

const compiled = new WeakMap<readonly RoutingRule[], readonly { decided: DecisionRule; applies: Applies }[]>();

/** The decision of the first rule that applies; null when none does. */
export function matchRoutingRule(rules: readonly RoutingRule[], subject: RuleSubject): DecisionRule | null {
  if (rules.length === 0) return null;
  let list = compiled.get(rules);
  if (!list) {
    list = rules.filter(({ enabled }) => enabled).map((rule) => ({ decided: decidedBy(rule), applies: compile(rule) }));
    compiled.set(rules, list);
  }
  return list.find(({ applies }) => applies(subject))?.decided ?? null;
}

/** Why a rule is invalid, and in which field; null when it is valid. */
export function routingRuleProblem(rule: RoutingRule): { field: keyof RoutingRule; message: string } | null {
  const written = { models: rule.models, paths: rule.paths, headers: rule.headers.map(({ value }) => value) };
  for (const [field, patterns] of Object.entries(written)) {
    for (const pattern of patterns) {
      const message = patternProblem(pattern);
      if (message) return { field: field as keyof typeof written, message };
    }
  }
  return null;
}

function decidedBy({ name, provider, group, model }: RoutingRule): DecisionRule {
  return { name, ...(provider !== null && { provider }), ...(group !== null && { group }), ...(model !== null && { model }) };
}

function compile(rule: RoutingRule): Applies {
  const { keys, users, dialects, schedule, percent, name } = rule;
  const conditions: Applies[] = [];
  if (dialects.length > 0) conditions.push(({ dialect }) => dialects.includes(dialect));
  if (keys.length > 0) conditions.push(({ keyId }) => keys.includes(keyId));
  if (users.length > 0) conditions.push(({ userEmail }) => users.includes(userEmail));
  if (rule.bodyBytesMin !== null || rule.bodyBytesMax !== null) {
    const [least, most] = [rule.bodyBytesMin ?? 0, rule.bodyBytesMax ?? Number.POSITIVE_INFINITY];
    conditions.push(({ bodyBytes }) => bodyBytes >= least && bodyBytes <= most);
  }
  if (rule.models.length > 0) {
    const matches = matchesAny(rule.models);
    conditions.push(({ model }) => matches(model));
  }
  if (rule.paths.length > 0) {
    const matches = matchesAny(rule.paths);
    conditions.push(({ path }) => path !== "" && matches(path));
  }
  for (const header of rule.headers) {
    const matches = matchesAny([header.value]);
    conditions.push(({ headers }) => {
      const value = headers[header.name];
      return value !== undefined && matches(value.slice(0, headerChars));
    });
  }
  if (schedule.windows.length > 0) conditions.push(({ nowMs }) => scheduleAt(schedule, nowMs).open);
  if (percent < 100) conditions.push(({ stickyId }) => stickyId !== "" && percentileOf(`${name}\n${stickyId}`) < percent);
  return (subject) => conditions.every((applies) => applies(subject));
}

/** A stable number in [0, 100) for a text: FNV-1a with MurmurHash3's finalizer, which spreads its bits. */
function percentileOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32) * 100;
}
