import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type CommandInput, optional } from "./command.ts";

/** `--password-file`, "-" for standard input: a password on the command line would appear in the process list. */
export const passwordOption = { "password-file": { type: "string" } } as const;

/** The given password, or a generated one, which the command must then show. */
export async function readPassword(input: CommandInput): Promise<{ password: string; made: boolean }> {
  const path = optional(input, "password-file");
  if (path === undefined) return { password: randomBytes(15).toString("base64url"), made: true };
  const text = await readFile(path === "-" ? "/dev/stdin" : path, "utf8");
  return { password: text.replace(/\r?\n$/, ""), made: false };
}
