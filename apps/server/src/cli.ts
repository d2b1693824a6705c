/**
 * The command line of an installation: `npm run sluice -- <command>`. It works on the data directory and database given by the
 * environment, beside a running server or without one.
 */
import { env } from "node:process";
import { parseArgs } from "node:util";
import { SluiceError } from "@sluice/core/errors";
import { adminResetPassword } from "./commands/admin-reset-password.ts";
import { type Command, type Terminal, UsageError } from "./commands/command.ts";
import { configApply } from "./commands/config-apply.ts";
import { doctor } from "./commands/doctor.ts";
import { keyCreate } from "./commands/key-create.ts";
import { logsTail } from "./commands/logs-tail.ts";
import { migrateCommand } from "./commands/migrate.ts";
import { userCreate } from "./commands/user-create.ts";
import { EnvError, readEnv } from "./env.ts";

const commands: readonly Command[] = [keyCreate, userCreate, adminResetPassword, configApply, migrateCommand, doctor, logsTail];

/** Runs a command line. Resolves with the exit code: 0, 1 when the command failed, 2 for a usage error. */
export async function runCli(args: readonly string[], environment: NodeJS.ProcessEnv, terminal: Terminal): Promise<number> {
  const command = commands.find(({ name }) => name.split(" ").every((word, i) => args[i] === word));
  if (!command) {
    for (const line of help()) terminal.err(line);
    return args.length === 0 || ["help", "--help", "-h"].includes(args[0] ?? "") ? 0 : 2;
  }
  try {
    const rest = args.slice(command.name.split(" ").length);
    const known = { ...command.options, help: { type: "boolean", short: "h" } } as const;
    const { values, positionals } = parseArgs({ args: [...rest], options: known, allowPositionals: true, strict: true });
    if (values.help) {
      terminal.err(usageOf(command));
      terminal.err(`It ${command.summary}.`);
      return 0;
    }
    if (positionals.length !== (command.positionals?.length ?? 0))
      throw new UsageError(`${command.positionals?.join(" ") ?? "no argument"} is expected`);
    const options = values as Record<string, string | boolean | undefined>;
    return await command.run({ env: readEnv(environment), terminal, options, positionals, environment });
  } catch (thrown) {
    return explain(thrown, command, terminal);
  }
}

function explain(thrown: unknown, command: Command, terminal: Terminal): number {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const isUsage =
    thrown instanceof UsageError || (thrown instanceof TypeError && "code" in thrown && String(thrown.code).startsWith("ERR_PARSE_ARGS"));
  if (isUsage) {
    terminal.err(message);
    terminal.err(usageOf(command));
    return 2;
  }
  terminal.err(thrown instanceof SluiceError && thrown.detail ? `${message} (${thrown.detail})` : message);
  return thrown instanceof EnvError ? 2 : 1;
}

function usageOf({ name, usage }: Command): string {
  return `Usage: npm run sluice -- ${name} ${usage}`.trim();
}

function help(): string[] {
  return [
    "Usage: npm run sluice -- <command>",
    "",
    ...commands.map(({ name, usage, summary }) => `  ${`${name} ${usage}`.trim()}\n      ${summary}`),
  ];
}

if (import.meta.main) {
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  process.once("SIGTERM", () => stop.abort());
  process.once("SIGHUP", () => stop.abort());
  // Who read the output is gone (`| head`): without a listener the process would end before it has put away what it holds.
  process.stdout.on("error", () => stop.abort());
  process.stderr.on("error", () => undefined);
  const terminal: Terminal = {
    out: (line) => process.stdout.write(`${line}\n`),
    err: (line) => process.stderr.write(`${line}\n`),
    signal: stop.signal,
  };
  process.exitCode = await runCli(process.argv.slice(2), env, terminal);
}
