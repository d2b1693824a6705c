import { EnvError, readEnv } from "./env.ts";
import { createLog } from "./log.ts";
import { type RunningServer, startServer } from "./start-server.ts";

/** Ends with a message for the operator; a stack would hide it. */
function giveUp(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof EnvError ? 2 : 1);
}

async function main(): Promise<void> {
  const env = readEnv();
  const log = createLog(env.logLevel);
  let server: RunningServer | null = null;
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    try {
      await server?.stop();
      process.exit(0);
    } catch (error) {
      log.error(
        { detail: String(error) },
        "stopped, but not everything was flushed; it is in the spool and will be billed at the next start",
      );
      process.exit(1);
    }
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  // Started by npm's script: when that is killed, its channel closes, and nobody would stop this process.
  if (process.send) process.on("disconnect", stop);
  server = await startServer(env, log);
  if (stopping) return;
  const invitation = server.setupToken ? `${server.url}/setup?token=${server.setupToken}` : server.url;
  process.stdout.write(`\nSluice is ready: ${invitation}\n`);
  if (server.setupToken) process.stdout.write(`No administrator exists yet. One-time setup token: ${server.setupToken}\n`);
}

await main().catch(giveUp);
