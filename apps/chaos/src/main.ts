import { parseArgs } from "node:util";
import { ledgerChaos } from "./ledger.ts";

/**
 * @sluice/chaos: `npm run chaos -- ledger [--seed N] [--short] [--minutes N] [--verbose]`. Kills real gateways over real Postgres and
 * Redis, at every failpoint and at random; then a checker that knows nothing of the application decides whether each request was billed
 * exactly once. Bounded and seeded; exits with 1 when an invariant is violated. Nothing imports it.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string" },
    short: { type: "boolean", default: false },
    minutes: { type: "string" },
    verbose: { type: "boolean", default: false },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
if (positionals.join() !== "ledger" || !Number.isSafeInteger(seed)) {
  console.error("Usage: npm run chaos -- ledger [--seed N] [--short] [--minutes N] [--verbose]");
  process.exit(2);
}
process.stdout.write(`chaos ledger --seed ${seed}${values.short ? " --short" : ""}\n`);
const minutes = Number(values.minutes ?? (values.short ? 0.6 : 6.5));
const isWhole = await ledgerChaos({ seed, short: values.short, minutes, verbose: values.verbose });
process.exit(isWhole ? 0 : 1);
