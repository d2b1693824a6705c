import { parseArgs } from "node:util";
import { startUpstream } from "./server.ts";

const { values } = parseArgs({
  options: { port: { type: "string", default: "4100" }, host: { type: "string", default: "127.0.0.1" }, oracle: { type: "string" } },
});
const upstream = await startUpstream({ port: Number(values.port), host: values.host, oraclePath: values.oracle });
process.stdout.write(`scripted upstream on ${upstream.url}\n`);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void upstream.stop().then(() => process.exit(0)));
