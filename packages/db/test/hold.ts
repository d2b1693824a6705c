// A process that attaches to the server of a data directory, reports it in one line of JSON, and detaches when its input ends.
import { silentLog } from "@sluice/core/log";
import { startEmbeddedPostgres } from "../src/embedded-postgres.ts";
import { startPrivateRedis } from "../src/private-redis.ts";

const [kind, dataDir = ""] = process.argv.slice(2);
const service =
  kind === "postgres"
    ? await startEmbeddedPostgres({ dataDir, durable: false, log: silentLog })
    : await startPrivateRedis({ dataDir, log: silentLog });
if (service === null) throw new Error("redis-server is needed.");

process.stdout.write(`${JSON.stringify({ pid: service.pid, port: service.port, url: service.url, attached: service.attached })}\n`);
process.stdin.resume();
process.stdin.once("end", () => void service.stop().then(() => process.exit(0)));
