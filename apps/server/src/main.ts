import { setFlagsFromString } from "node:v8";
import { EnvError, readEnv } from "./env.ts";
import { createLog } from "./log.ts";
import { type RunningServer, startServer } from "./start-server.ts";

// V8 allocates objects directly in the old generation when many from the same literal have survived. Rows that wait for the settler do
// survive, so whole requests were pretenured: each kept everything it referred to alive until the next full collection, and scavenges
// copied that, 7 KB per request instead of 2. An engine without this flag reports it on stderr and continues.
setFlagsFromString("--no-allocation-site-pretenuring");
// After an idle phase V8 lets the old generation grow by a tenth only, so a gateway with a steady load marked its whole heap after nearly
// every young collection. The markers take the core from requests: on one or two cores 1 % of them waited 30 ms. With this, the heap may
// grow to three times what is alive.
setFlagsFromString("--heap-growing-percent=200");

/** Exits with a message for the operator, without a stack that would hide it. */
function giveUp(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof EnvError ? 2 : 1);
}

/**
 * A stopped server holds nothing open, so the process exits on its own; after this time, whatever still keeps it alive is logged and the
 * process exits.
 */
const lingerMs = 5_000;

/** One Ctrl+C may arrive several times: from the terminal, from npm and from npm's script. */
const againAfterMs = 500;

async function main(): Promise<void> {
  const env = readEnv();
  const log = createLog(env.logLevel);
  const cancel = new AbortController();
  const stop = async (): Promise<void> => {
    if (cancel.signal.aborted) return;
    cancel.abort();
    // A cancelled start has released everything when it rejects.
    const server = await starting.catch(() => null);
    await server?.stop().catch((error: unknown) => {
      process.exitCode = 1;
      const detail = String(error);
      log.error({ detail }, "stopped before everything was flushed; it is in the spool and will be billed at the next start");
    });
    if (process.connected) process.disconnect();
    setTimeout(() => {
      log.warn({ open: process.getActiveResourcesInfo() }, "stopped, but something is still open");
      process.exit();
    }, lingerMs).unref();
  };
  process.on("SIGTERM", stop);
  let interruptedMs: number | null = null;
  process.on("SIGINT", () => {
    if (interruptedMs === null) {
      interruptedMs = performance.now();
      if (process.stderr.isTTY) process.stderr.write("\nFinishing the requests in flight. Press Ctrl+C again to end them now.\n");
      void stop();
    } else if (performance.now() - interruptedMs > againAfterMs) void starting.then((server) => server.hurry()).catch(() => undefined);
  });
  // The terminal was closed: by default this would end the process at once, with its requests.
  process.on("SIGHUP", stop);
  // Started by npm's script: if that is killed, the channel closes, and this process must stop by itself.
  if (process.send) process.on("disconnect", stop);
  const starting = startServer(env, log, cancel.signal);
  const server: RunningServer | null = await starting.catch((error: unknown) => {
    if (cancel.signal.aborted) return null;
    throw error;
  });
  if (!server || cancel.signal.aborted) return;
  const invitation = server.setupToken ? `${server.url}/setup?token=${server.setupToken}` : server.url;
  // For people: stdout carries only JSON lines.
  process.stderr.write(`\nSluice is ready: ${invitation}\n`);
  if (server.setupToken) process.stderr.write(`There is no administrator yet. One-time setup token: ${server.setupToken}\n`);
}

await main().catch(giveUp);
