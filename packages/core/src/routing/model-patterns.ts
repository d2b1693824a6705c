/**
 * Which models a provider accepts, and under which name each is sent. Patterns are texts:
 *
 * claude-opus-4   exactly this name       *-latest   names that end so
 * claude-*        names that begin so     *opus*     names that contain it (a single * matches any)
 * /^gpt-[45]/     an RE2 expression, matched anywhere, in time linear in the name whatever the expression
 *
 * They are compiled once per provider of a configuration. Redirects are checked in order; the first match wins.
 */
import { RE2JS } from "re2js";
import { type ModelRedirect, type ModelRedirects, redirectList } from "./model-redirects.ts";

/** What decides which models a provider serves. */
export interface ModelRules {
  /** Patterns; empty = any. Models matched by the redirects count as listed. */
  readonly models: readonly string[];
  readonly modelRedirects: ModelRedirects;
}

/** Longer names are only compared exactly; no pattern is meant for them. */
const LONGEST_NAME = 200;
/** Limit for the size of a compiled expression, so that matching a name of 200 characters takes a few milliseconds at most. */
const LARGEST_PROGRAM = 500;
/** Clients choose model names, so the cache of matches is bounded; when full it is cleared. */
const MAX_REMEMBERED = 1_000;

type Match = (model: string) => boolean;

/** The kind of a pattern; null when it is invalid. */
function kindOf(pattern: string): "exact" | "prefix" | "suffix" | "contains" | "regex" | null {
  if (pattern.length > 2 && pattern.startsWith("/") && pattern.endsWith("/")) return "regex";
  const inner = pattern.slice(1, -1);
  if (inner.includes("*")) return null;
  const [starts, ends] = [pattern.startsWith("*"), pattern.endsWith("*")];
  if (starts && ends) return "contains";
  return starts ? "suffix" : ends ? "prefix" : "exact";
}

/** Whether a pattern names exactly one model. */
export function isExact(pattern: string): boolean {
  return kindOf(pattern) === "exact";
}

/** Why a pattern is invalid, as a message for the form; null when it is valid. */
export function patternProblem(pattern: string): string | null {
  const kind = kindOf(pattern);
  if (kind === null) return `${pattern}: a * is only allowed at the beginning or the end; use /expression/ for anything else.`;
  if (kind !== "regex") return null;
  try {
    const size = RE2JS.compile(pattern.slice(1, -1)).programSize();
    return size > LARGEST_PROGRAM ? `${pattern}: the expression is too large.` : null;
  } catch (error) {
    return `${pattern}: ${error instanceof Error ? error.message.replace(/^error parsing regexp: /, "") : "not an RE2 expression"}.`;
  }
}

/** An invalid pattern matches nothing. */
function compile(pattern: string): Match {
  const kind = patternProblem(pattern) === null ? kindOf(pattern) : null;
  if (kind === null) return () => false;
  if (kind === "exact") return (model) => model === pattern;
  if (kind === "prefix") return short((model) => model.startsWith(pattern.slice(0, -1)));
  if (kind === "suffix") return short((model) => model.endsWith(pattern.slice(1)));
  const inner = pattern.slice(1, -1);
  if (kind === "contains") return short((model) => model.includes(inner));
  const expression = RE2JS.compile(inner);
  return short((model) => expression.test(model));
}

function short(match: Match): Match {
  return (model) => model.length <= LONGEST_NAME && match(model);
}

/** Whether any of the patterns matches. Compiles them on each call, so it is for lists that are used rarely. */
export function matchesAny(patterns: readonly string[]): Match {
  const exact = new Set(patterns.filter(isExact));
  const others = patterns.filter((pattern) => !isExact(pattern)).map(compile);
  return (model) => exact.has(model) || others.some((matches) => matches(model));
}

const listed = new WeakMap<ModelRules, Match>();
const redirected = new WeakMap<ModelRedirects, (model: string) => string | undefined>();

/** Whether the provider accepts a model of this name. */
export function takesModel(provider: ModelRules, model: string): boolean {
  if (provider.models.length === 0) return true;
  let lists = listed.get(provider);
  if (!lists) {
    lists = matchesAny([...provider.models, ...redirectList(provider.modelRedirects).map(({ from }) => from)]);
    listed.set(provider, lists);
  }
  return lists(model);
}

/** Whether the provider mentions the model explicitly, in its list or by a redirect. */
export function claimsModel(provider: ModelRules, model: string): boolean {
  return provider.models.length > 0 ? takesModel(provider, model) : redirectOf(provider.modelRedirects, model) !== undefined;
}

/** The model name to send to a provider for `model`. */
export function upstreamModelOf(provider: Pick<ModelRules, "modelRedirects">, model: string): string {
  return redirectOf(provider.modelRedirects, model) ?? model;
}

function redirectOf(redirects: ModelRedirects, model: string): string | undefined {
  let redirect = redirected.get(redirects);
  if (!redirect) {
    redirect = compileRedirects(redirectList(redirects));
    redirected.set(redirects, redirect);
  }
  return redirect(model);
}

function compileRedirects(list: readonly ModelRedirect[]): (model: string) => string | undefined {
  if (list.length === 0) return () => undefined;
  if (list.every(({ from }) => isExact(from))) {
    const exact = new Map(list.toReversed().map(({ from, to }) => [from, to]));
    return (model) => exact.get(model);
  }
  const ordered = list.map(({ from, to }) => ({ matches: compile(from), to }));
  const remembered = new Map<string, string | undefined>();
  return (model) => {
    if (remembered.has(model)) return remembered.get(model);
    const to = ordered.find(({ matches }) => matches(model))?.to;
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(model, to);
    return to;
  };
}
