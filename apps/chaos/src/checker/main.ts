import { parseArgs } from "node:util";
import pg from "pg";
import { checkBalances, checkFloors, checkTopUps } from "./accounts.ts";
import { readEvidence } from "./evidence.ts";
import type { Finding } from "./finding.ts";
import { checkAcknowledged, checkAttempts, checkCharges, checkCosts, checkRefused } from "./requests.ts";
import { checkRest } from "./rest.ts";
import { checkOnce, checkSums } from "./sums.ts";

/**
 * Checks the invariants of the ledger from outside: reads the upstream's oracle file, the clients' log, Postgres and (for what is held at
 * rest) Redis, imports nothing of the application, and prints one JSON line per invariant. Exits with 1 when one of them is violated.
 */
const { values } = parseArgs({
  options: { oracle: { type: "string" }, clients: { type: "string" }, database: { type: "string" }, redis: { type: "string" } },
});
const { oracle, clients, database, redis } = values;
if (!oracle || !clients || !database || !redis) {
  console.error("Usage: checker --oracle FILE --clients FILE --database URL --redis URL");
  process.exit(2);
}

const pool = new pg.Pool({ connectionString: database, max: 2 });
const evidence = await readEvidence({ oracle, clients }, pool);
const findings: Finding[] = [
  checkCharges(evidence),
  await checkSums(pool),
  await checkBalances(pool),
  await checkOnce(pool),
  checkCosts(evidence),
  checkAcknowledged(evidence),
  await checkRest(redis),
  await checkFloors(pool),
  checkRefused(evidence),
  checkAttempts(evidence),
  await checkTopUps(evidence, pool),
];
await pool.end();
for (const finding of findings) process.stdout.write(`${JSON.stringify(finding)}\n`);
process.exit(findings.some(({ violations }) => violations > 0) ? 1 : 0);
