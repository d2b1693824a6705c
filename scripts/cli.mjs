// `npm run sluice -- <command>`: prepares the checkout and hands over to the command line of apps/server.
import { node, prepare, run } from "./prepare.mjs";

await prepare({ console: false });
const { code } = await run(node, ["apps/server/src/cli.ts", ...process.argv.slice(2)], { stdin: "inherit" });
process.exit(code);
