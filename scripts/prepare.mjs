// Prepares what everything else needs: dependencies, the Prisma client, the built console. Runs on the system's Node >= 20 with nothing
// installed; each step is skipped when its inputs have not changed.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Node 24 from the npm package `node`; the system's Node only starts these scripts. */
export const node = join(root, "node_modules", ".bin", "node");

/** The environment of every child: our Node first on PATH, no telemetry, no update notices. */
export function childEnv(extra = {}) {
  return {
    ...process.env,
    PATH: `${join(root, "node_modules", ".bin")}:${process.env.PATH}`,
    TURBO_TELEMETRY_DISABLED: "1",
    DO_NOT_TRACK: "1",
    PRISMA_HIDE_UPDATE_MESSAGE: "1",
    ...extra,
  };
}

/** Runs a command; resolves with its exit code and, when quiet, its output. */
export function run(command, args, { env, quiet = false, cwd = root, stdin = "ignore" } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: childEnv(env),
      stdio: quiet ? [stdin, "pipe", "pipe"] : [stdin, "inherit", "inherit"],
    });
    let output = "";
    child.stdout?.on("data", (chunk) => {
      output += chunk;
    });
    child.stderr?.on("data", (chunk) => {
      output += chunk;
    });
    // Without this a command would outlive the script that a supervisor or `timeout` ends.
    const pass = (signal) => child.kill(signal);
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
    for (const signal of signals) process.on(signal, pass);
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      for (const each of signals) process.off(each, pass);
      resolve({ code: code ?? 1, signal, output });
    });
  });
}

/** Runs one step, says what is going on when it takes longer than a second, and stops with advice when it fails. */
export async function step(title, advice, work) {
  const began = Date.now();
  const announce = setTimeout(() => process.stdout.write(`• ${title} …\n`), 1000);
  try {
    const result = await work();
    if (result && result.code !== 0) throw new Error(result.output?.trim() || `exit code ${result.code}`);
    if (Date.now() - began > 1000) process.stdout.write(`✓ ${title} (${((Date.now() - began) / 1000).toFixed(1)} s)\n`);
  } catch (error) {
    process.stderr.write(`✗ ${title} failed:\n${error.message}\n→ ${advice}\n`);
    process.exit(1);
  } finally {
    clearTimeout(announce);
  }
}

function hashFiles(folder) {
  const hash = createHash("sha256");
  for (const name of readdirSync(folder).sort()) hash.update(name).update(readFileSync(join(folder, name)));
  return hash.digest("hex");
}

/** Whether node_modules holds what package-lock.json says (npm's own hidden lockfile tells). */
function dependenciesAreCurrent() {
  const installedPath = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(installedPath) || !existsSync(node)) return false;
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  const installed = JSON.parse(readFileSync(installedPath, "utf8")).packages;
  return Object.entries(wanted).every(
    ([path, entry]) =>
      path === "" || !path.startsWith("node_modules/") || entry.optional || entry.link || installed[path]?.version === entry.version,
  );
}

async function installDependencies() {
  if (dependenciesAreCurrent()) return;
  await step("Installing dependencies", "Check that npm can reach its registry, then run the command again.", () =>
    run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { quiet: true }),
  );
}

async function generateClient() {
  const stamp = join(root, "packages/db/src/generated/.schema-hash");
  const hash = hashFiles(join(root, "prisma/schema"));
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return;
  await step("Generating the database client", "The files in prisma/schema are inconsistent; see the message above.", () =>
    // `generate` never calls the schema engine, but the CLI would try to download it.
    run(node, ["node_modules/prisma/build/index.js", "generate"], { quiet: true, env: { PRISMA_SCHEMA_ENGINE_BINARY: "/bin/true" } }),
  );
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, hash);
}

async function buildConsole() {
  await step("Building the console", "Run `npm run build` to see the whole output.", () =>
    run(join(root, "node_modules/.bin/turbo"), ["run", "build", "--output-logs=errors-only", "--no-update-notifier"], { quiet: true }),
  );
}

/** Prepares the checkout so that everything runs. */
export async function prepare({ console: withConsole = true } = {}) {
  const [major] = process.versions.node.split(".");
  if (Number(major) < 20) {
    process.stderr.write(`Sluice needs Node 20 or newer to start (this is ${process.version}); it brings its own Node 24 for the rest.\n`);
    process.exit(1);
  }
  await installDependencies();
  await generateClient();
  if (withConsole) await buildConsole();
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await prepare();
