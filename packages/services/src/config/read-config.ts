import { isNode, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { fieldName } from "../parse.ts";
import { ConfigFile, type SecretField } from "./config-file.ts";
import { ConfigFileError } from "./config-file-error.ts";

/** A validated file that can also locate its fields. */
export interface ReadConfig {
  config: ConfigFile;
  /** 1-based line of a path, or of its nearest existing parent. */
  lineOf(path: readonly PropertyKey[]): number;
  /** `line 4: providers[0].baseUrl: text`. */
  problem(path: readonly PropertyKey[], text: string): string;
}

/**
 * Parses and validates YAML text. Problems never repeat values, since they may be secrets.
 * @throws ConfigFileError with every problem at once.
 */
export function readConfig(text: string): ReadConfig {
  const lines = new LineCounter();
  // Aliases are refused, so that a small file cannot expand into a large one.
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, strict: true, version: "1.2", prettyErrors: false });
  const syntax = document.errors.map((error) => `line ${lines.linePos(error.pos[0]).line}: ${withoutQuote(error.message)}`);
  if (syntax.length > 0) throw new ConfigFileError(syntax);

  const lineOf = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length > 0; length--) {
      const at = pairOffset(document, path.slice(0, length));
      if (at !== null) return lines.linePos(at).line;
    }
    return 1;
  };
  const problem = (path: readonly PropertyKey[], message: string): string =>
    `line ${lineOf(path)}: ${fieldName(path) || "the file"}: ${message}`;

  const content = withoutAliases(document);
  const result = ConfigFile.safeParse(content);
  if (!result.success) throw new ConfigFileError(result.error.issues.flatMap((issue) => problemsOf(issue, problem)));
  const config = result.data;
  const doubles = repeated(config, problem);
  if (doubles.length > 0) throw new ConfigFileError(doubles);
  return { config, lineOf, problem };
}

/** The parser quotes the offending text, which may be part of a secret. */
function withoutQuote(message: string): string {
  return message.replace(/(?<=\w): .*$|(?<=escape sequence) .*$/s, "");
}

function withoutAliases(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 }) ?? {};
  } catch {
    throw new ConfigFileError(["line 1: the file: aliases are not allowed"]);
  }
}

/** Offset of a field: of its name, or of the item in a list. */
function pairOffset(document: ReturnType<typeof parseDocument>, path: readonly PropertyKey[]): number | null {
  const last = path.at(-1);
  const parent = path.length > 1 ? document.getIn(path.slice(0, -1), true) : document.contents;
  if (parent && typeof parent === "object" && "items" in parent && Array.isArray(parent.items)) {
    for (const item of parent.items as unknown[]) {
      if (typeof item !== "object" || item === null || !("key" in item)) break;
      const { key } = item;
      if (isNode(key) && key.range && String(key) === String(last)) return key.range[0];
    }
  }
  const node = document.getIn(path, true);
  return isNode(node) && node.range ? node.range[0] : null;
}

function problemsOf(issue: z.core.$ZodIssue, problem: (path: readonly PropertyKey[], text: string) => string): string[] {
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => problem([...issue.path, key], "unknown field"));
  return [problem(issue.path, issue.message)];
}

/** Entries are matched by name, so a name must not occur twice. */
function repeated(config: ConfigFile, problem: (path: readonly PropertyKey[], text: string) => string): string[] {
  const found: string[] = [];
  const check = (names: readonly string[], path: (index: number) => PropertyKey[]): void => {
    const seen = new Set<string>();
    for (const [index, name] of names.entries()) {
      if (seen.has(name)) found.push(problem(path(index), "appears twice"));
      seen.add(name);
    }
  };
  check(
    config.providers.map(({ name }) => name),
    (i) => ["providers", i, "name"],
  );
  check(
    config.users.map(({ email }) => email),
    (i) => ["users", i, "email"],
  );
  check(
    config.groups.map(({ name }) => name),
    (i) => ["groups", i, "name"],
  );
  check(
    config.prices.map(({ model }) => model),
    (i) => ["prices", i, "model"],
  );
  for (const kind of ["channels", "rules"] as const)
    check(
      config.alerts[kind].map(({ name }) => name),
      (i) => ["alerts", kind, i, "name"],
    );
  for (const [u, user] of config.users.entries())
    check(
      user.keys.map(({ name }) => name),
      (i) => ["users", u, "keys", i, "name"],
    );
  return found;
}

/** The value of a secret; null if the environment has no such variable. */
export function resolveSecret(field: SecretField, environment: Readonly<Record<string, string | undefined>>): string | null {
  return typeof field === "string" ? field : environment[field.env] || null;
}
