import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { type CommandInput, optional } from "./command.ts";

/** `--password-file`, "-" for standard input: a password on the command line would appear in the process list. */
export const passwordOption = { "password-file": { type: "string" } } as const;

/** The given password, or a generated one, which the command must then show. */
export async function readPassword(input: CommandInput): Promise<{ password: string; made: boolean }> {
  const path = optional(input, "password-file");
  if (path === undefined) return { password: randomBytes(15).toString("base64url"), made: true };
  // Not /dev/stdin: that cannot be opened when it is a socket, as it is for many programs that start others.
  const given = path === "-" ? await text(process.stdin) : await readFile(path, "utf8");
  return { password: given.replace(/\r?\n$/, ""), made: false };
}
