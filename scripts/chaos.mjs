// `npm run chaos -- ledger [--seed N] [--short]`: prepares the checkout and hands over to apps/chaos.
import { node, prepare, run } from "./prepare.mjs";

await prepare({ console: false });
const { code } = await run(node, ["apps/chaos/src/main.ts", ...process.argv.slice(2)]);
process.exit(code);
