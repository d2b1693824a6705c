// A process that starts a server and everything it needs, reports where, and waits to be killed.
import { freePort } from "../src/ports.ts";
import { makeDataDir, startServer } from "../src/server-process.ts";

const dir = makeDataDir();
const server = await startServer({ dataDir: dir.path, port: await freePort() });
if (process.argv[2] === "orphan") await server.stop("SIGKILL");
process.stdout.write(`${dir.path} ${server.pid}\n`);
setInterval(() => undefined, 60_000);
