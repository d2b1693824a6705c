// `npm test`: everything, on a fresh machine. Installs what tests need, then runs lint and boundaries, types, dead code, unit, database
// and gateway tests, Playwright. Ends with one line `N passed, N failed, N skipped`.
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { node, prepare, root, run, step } from "./prepare.mjs";
import { browserCounts, browserTroubles, sumCounts, unitCounts, unitTroubles } from "./test-counts.mjs";
import { verify } from "./verify.mjs";

const packages = {
  "redis-server": ["/usr/bin/redis-server", "/usr/bin/valkey-server"],
  nginx: ["/usr/sbin/nginx", "/usr/local/bin/nginx", "/opt/homebrew/bin/nginx"],
  chromium: ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"],
};

async function installTools() {
  const missing = Object.keys(packages).filter((name) => !packages[name].some((path) => existsSync(path)));
  if (missing.length === 0) return;
  const install = `apt-get install -y --no-install-recommends ${missing.join(" ")}`;
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
    process.stderr.write(`The tests need ${missing.join(", ")}. Install with:\n  sudo apt-get update && sudo ${install}\n`);
    process.exit(1);
  }
  // Debian starts redis-server and nginx after installing them; policy-rc.d prevents that, since tests start their own.
  const script = `apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive ${install}`;
  await step(`Installing ${missing.join(", ")}`, `Run it by hand: ${install}`, () => run("sh", ["-c", script], { quiet: true }));
}

const reports = join(root, "test-results");

function readReport(name) {
  const path = join(reports, name);
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : null;
}

async function unitTests() {
  const { code } = await run(node, [
    "node_modules/vitest/vitest.mjs",
    "run",
    "--coverage",
    "--reporter=default",
    "--reporter=json",
    "--outputFile.json=test-results/vitest.json",
  ]);
  const report = readReport("vitest.json");
  troubles.push(...unitTroubles(report));
  return unitCounts(report, code);
}

async function browserTests() {
  const { code } = await run(node, ["node_modules/@playwright/test/cli.js", "test", "--reporter=list,json"], {
    env: { PLAYWRIGHT_JSON_OUTPUT_NAME: join(reports, "playwright.json") },
  });
  const report = readReport("playwright.json");
  troubles.push(...browserTroubles(report));
  return browserCounts(report, code);
}

await prepare();
await installTools();
rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });

const results = [];
const troubles = [];
for (const [name, part] of [
  ["lint, types, dead code", verify],
  ["unit, database and gateway tests", unitTests],
  ["browser tests", browserTests],
]) {
  process.stdout.write(`\n── ${name}\n`);
  mkdirSync(reports, { recursive: true });
  results.push(await part());
}
await run(node, ["packages/testing/src/stop.ts"]);

if (troubles.length > 0) process.stdout.write(`\n${troubles.join("\n")}\n`);
const { failed, skipped, line } = sumCounts(results);
process.stdout.write(`\n${line}\n`);
// In CI a skipped test counts as a failure: nobody else would run it.
process.exit(failed > 0 || (process.env.CI && skipped > 0) ? 1 : 0);
