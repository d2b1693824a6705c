import { type Bench, printReport } from "./report.ts";

/**
 * @sluice/bench: `node apps/bench/src/main.ts <name> [--full] [--check] [--profile]`. It starts things the way users do and compares each
 * with a baseline named in the figures; nothing imports it.
 */
const benches: Record<string, () => Promise<Bench>> = {
  gateway: async () => (await import("./gateway.ts")).gatewayBench,
  memory: async () => (await import("./memory.ts")).memoryBench,
  ledger: async () => (await import("./ledger.ts")).ledgerBench,
  keyset: async () => (await import("./keyset.ts")).keysetBench,
  live: async () => (await import("./live.ts")).liveBench,
  stats: async () => (await import("./stats.ts")).statsBench,
  routing: async () => (await import("./routing.ts")).routingBench,
  api: async () => (await import("./api.ts")).apiBench,
  console: async () => (await import("./console.ts")).consoleBench,
};

const args = process.argv.slice(2);
const unknown = args.filter((arg) => arg.startsWith("--") && !["--full", "--check", "--profile"].includes(arg));
const [name, ...more] = args.filter((arg) => !arg.startsWith("--"));
const load = name === undefined ? undefined : benches[name];
if (name === undefined || !load || unknown.length + more.length > 0) {
  console.error(`Usage: npm run bench -- <${Object.keys(benches).join(" | ")}> [--full] [--check] [--profile]`);
  process.exit(2);
}
const bench = await load();
const ok = printReport(name, await bench({ full: args.includes("--full"), profile: args.includes("--profile") }));
// Explicit: a pool or child process left over from a failed benchmark must not keep the process alive.
process.exit(ok || !args.includes("--check") ? 0 : 1);
