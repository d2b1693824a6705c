// Writes a line of log and one for people every few milliseconds, and tells its parent, until it gets SIGTERM.
import { createLog } from "../src/log.ts";

const log = createLog("info");
const timer = setInterval(() => {
  log.info({}, "a line");
  process.stderr.write("a line for people\n");
  process.send?.("written");
}, 5);
process.once("SIGTERM", () => {
  clearInterval(timer);
  process.disconnect();
});
