/** Loaded into a real server before everything else: from SIGUSR2 on, reports each synchronous call of node:fs on stderr. */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

let armed = false;
const { writeSync } = fs;
const functions = fs as unknown as Record<string, unknown>;
for (const name of Object.keys(fs).filter((name) => name.endsWith("Sync"))) {
  const original = functions[name];
  if (typeof original !== "function") continue;
  functions[name] = function (this: unknown, ...args: unknown[]): unknown {
    if (armed) writeSync(2, `SYNC-IO ${name} ${new Error("from").stack?.split("\n").slice(2, 6).join(" | ")}\n`);
    return Reflect.apply(original, this, args);
  };
}
// Makes modules that import single functions see the wrappers too.
syncBuiltinESMExports();
process.on("SIGUSR2", () => {
  armed = true;
  fs.existsSync("/");
});
