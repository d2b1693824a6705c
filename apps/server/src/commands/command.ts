import type { ParseArgsOptionsConfig } from "node:util";
import type { Env } from "../env.ts";

/** Output and abort signal of a command; tests pass their own. */
export interface Terminal {
  /** Prints one line of result. */
  out(line: string): void;
  /** Prints one line for the operator. */
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
  /** Variables that a configuration file may refer to. */
  environment: Readonly<Record<string, string | undefined>>;
}

/** One command of `npm run sluice --`. */
export interface Command {
  /** The words that select it: "key create". */
  name: string;
  /** What follows the name, for the help text. */
  usage: string;
  summary: string;
  options: ParseArgsOptionsConfig;
  /** Names of positional arguments; all are required. */
  positionals?: readonly string[];
  /** Resolves with the exit code. */
  run(input: CommandInput): Promise<number>;
}

/** The command line is wrong: exit code 2 and the usage. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

/** A required option. @throws UsageError. */
export function required(input: CommandInput, name: string): string {
  const value = input.options[name];
  if (typeof value !== "string" || value === "") throw new UsageError(`--${name} is missing`);
  return value;
}

/** An option's text; undefined when absent. */
export function optional(input: CommandInput, name: string): string | undefined {
  const value = input.options[name];
  return typeof value === "string" ? value : undefined;
}

/** A whole number; null when absent. @throws UsageError. */
export function optionalInteger(input: CommandInput, name: string): number | null {
  const text = optional(input, name);
  if (text === undefined) return null;
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--${name} must be a whole number`);
  return Number(text);
}
