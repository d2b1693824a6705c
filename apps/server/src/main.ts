import { setFlagsFromString } from "node:v8";
import { EnvError, readEnv } from "./env.ts";
import { createLog } from "./log.ts";
import { type RunningServer, startServer } from "./start-server.ts";

// Where many objects of one literal live long, V8 makes all of them old from the start. Rows that wait for the settler do, and with them
// whole requests became old: each kept all that it named until the next full collection, and the collections of young objects copied that,
// 7 KB a request instead of 2. An engine that does not know the flag says so on stderr and goes on.
setFlagsFromString("--no-allocation-site-pretenuring");

/** Ends with a message for the operator; a stack would hide it. */
function giveUp(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof EnvError ? 2 : 1);
}

/** A stopped server holds nothing open, so the process ends by itself; what holds it nevertheless is named, and not for ever. */
const lingerMs = 5_000;

async function main(): Promise<void> {
  const env = readEnv();
  const log = createLog(env.logLevel);
  const cancel = new AbortController();
  const stop = async (): Promise<void> => {
    if (cancel.signal.aborted) return;
    cancel.abort();
    // A start that is cut short has let go of everything when it rejects.
    const server = await starting.catch(() => null);
    await server?.stop().catch((error: unknown) => {
      process.exitCode = 1;
      const detail = String(error);
      log.error({ detail }, "stopped, but not everything was flushed; it is in the spool and will be billed at the next start");
    });
    if (process.connected) process.disconnect();
    setTimeout(() => {
      log.warn({ open: process.getActiveResourcesInfo() }, "stopped, but something is still open");
      process.exit();
    }, lingerMs).unref();
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  // Started by npm's script: when that is killed, its channel closes, and nobody would stop this process.
  if (process.send) process.on("disconnect", stop);
  const starting = startServer(env, log, cancel.signal);
  const server: RunningServer | null = await starting.catch((error: unknown) => {
    if (cancel.signal.aborted) return null;
    throw error;
  });
  if (!server || cancel.signal.aborted) return;
  const invitation = server.setupToken ? `${server.url}/setup?token=${server.setupToken}` : server.url;
  // For people: stdout is one JSON object a line.
  process.stderr.write(`\nSluice is ready: ${invitation}\n`);
  if (server.setupToken) process.stderr.write(`No administrator exists yet. One-time setup token: ${server.setupToken}\n`);
}

await main().catch(giveUp);
