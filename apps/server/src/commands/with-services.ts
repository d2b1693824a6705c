import { type Log, silentLog } from "@sluice/core/log";
import type { Ctx } from "@sluice/services/context";
import { systemContext } from "@sluice/services/create-services";
import { composeServices } from "../compose-services.ts";
import { makeDataDir, readOrMakeSecret } from "../data-dir.ts";
import { takeInstance } from "../instance.ts";
import { openRooms } from "../rooms.ts";
import { serverUrl } from "../server-url.ts";
import { openStorage, prepareDatabase } from "../storage.ts";
import type { CommandInput } from "./command.ts";

/** Commands print their own results; of the packages' logs only warnings and errors are shown. */
export function commandLog({ terminal }: CommandInput): Log {
  const say = (fields: object, message: string): void =>
    terminal.err(`${message}${Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : ""}`);
  return { ...silentLog, warn: say, error: say };
}

/**
 * Runs `work` as the system actor on the installation given by the environment: attaches to the Postgres and Redis of a running server,
 * or starts them temporarily. Migrates the database first.
 */
export async function withServices<T>(input: CommandInput, work: (ctx: Ctx) => Promise<T>): Promise<T> {
  const { env } = input;
  const log = commandLog(input);
  await makeDataDir(env.dataDir);
  const secret = await readOrMakeSecret(env.dataDir, env.secret);
  const instance = await takeInstance(env.dataDir, new Set(["cli"]));
  const storage = await openStorage(env, log);
  try {
    const never = new AbortController().signal;
    await prepareDatabase(storage, { secret, log, canWait: false, deadlineMs: 10_000, signal: never, whenLate: async () => undefined });
    const rooms = await openRooms(env, { storage, secret, instanceId: instance.id, version: "", log });
    try {
      const services = composeServices({ storage, rooms, secret, log, version: "", publicUrl: serverUrl(env) });
      return await work(systemContext(services, "cli"));
    } finally {
      await rooms.close();
    }
  } finally {
    await storage.close();
    instance.release();
  }
}
