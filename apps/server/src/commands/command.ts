import type { ParseArgsOptionsConfig } from "node:util";
import type { Env } from "../env.ts";

/** What a command prints to and ends by; tests pass their own. */
export interface Terminal {
  /** One line of result. */
  out(line: string): void;
  /** One line for the operator. */
  err(line: string): void;
  /** Aborts on Ctrl-C. */
  signal: AbortSignal;
}

export interface CommandInput {
  env: Env;
  terminal: Terminal;
  /** Options as given; absent ones are undefined. */
  options: Readonly<Record<string, string | boolean | undefined>>;
  positionals: readonly string[];
  /** Variables that a configuration file may name. */
  environment: Readonly<Record<string, string | undefined>>;
}

/** One command of `npm run sluice --`. */
export interface Command {
  /** "key create". */
  name: string;
  /** What follows the name, for the help. */
  usage: string;
  summary: string;
  options: ParseArgsOptionsConfig;
  /** Names of positional arguments; all are required. */
  positionals?: readonly string[];
  /** Resolves with the exit code. */
  run(input: CommandInput): Promise<number>;
}

/** The command line was wrong: exit code 2 and the usage. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

/** An option that must be there. @throws UsageError. */
export function required(input: CommandInput, name: string): string {
  const value = input.options[name];
  if (typeof value !== "string" || value === "") throw new UsageError(`--${name} is missing`);
  return value;
}

/** An option's text, undefined when absent. */
export function optional(input: CommandInput, name: string): string | undefined {
  const value = input.options[name];
  return typeof value === "string" ? value : undefined;
}

/** A whole number, null when absent. @throws UsageError. */
export function optionalInteger(input: CommandInput, name: string): number | null {
  const text = optional(input, name);
  if (text === undefined) return null;
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--${name} must be a whole number`);
  return Number(text);
}
