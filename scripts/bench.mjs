// `npm run bench -- <name> [--full] [--check]`: prepares the checkout and hands over to apps/bench.
import { node, prepare, run } from "./prepare.mjs";

await prepare();
const { code } = await run(node, ["apps/bench/src/main.ts", ...process.argv.slice(2)]);
process.exit(code);
