// Writes a line of log every few milliseconds, and a dot on stderr for each, until it gets SIGTERM.
import { createLog } from "../src/log.ts";

const log = createLog("info");
const timer = setInterval(() => {
  log.info({}, "a line");
  process.stderr.write(".");
}, 5);
process.once("SIGTERM", () => clearInterval(timer));
