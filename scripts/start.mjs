// `npm start`, `npm run demo`, `npm run dev`: prepare the checkout, then run the server in the foreground.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { demoConfig } from "./demo-config.mjs";
import { childEnv, node, prepare, root } from "./prepare.mjs";

const demo = process.argv.includes("--demo");
const dev = process.argv.includes("--dev");

await prepare({ console: !dev });

const children = [];
let stopping = false;
let exitCode = 0;

/** Cache of compiled code, which halves the time until the server is ready. */
const compiled = join(root, "node_modules", ".cache", "compiled");

/** Starts one part; when any part ends, all end. The `ipc` channel lets a child notice that this script was killed. */
function start(args, { env = {}, cwd = root } = {}) {
  const child = spawn(node, args, {
    cwd,
    env: childEnv({ NODE_COMPILE_CACHE: compiled, ...env }),
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  });
  children.push(child);
  child.on("exit", (code, signal) => {
    children.splice(children.indexOf(child), 1);
    if (!stopping || code) exitCode = Math.max(exitCode, code ?? (signal ? 1 : 0));
    stop("SIGTERM");
    if (children.length === 0) process.exit(exitCode);
  });
  return child;
}

function stop(signal) {
  if (stopping) return;
  stopping = true;
  for (const child of children) child.kill(signal);
}

process.on("SIGINT", () => {
  // The second one ends what the server still waits for.
  if (stopping) for (const child of children) child.kill("SIGINT");
  stop("SIGINT");
});
process.on("SIGTERM", () => stop("SIGTERM"));
process.on("SIGHUP", () => stop("SIGTERM"));

if (demo) {
  // A separate data directory: the demo's providers and traffic never mix with real ones.
  const upstreamPort = process.env.SLUICE_DEMO_UPSTREAM_PORT ?? "4010";
  delete process.env.SLUICE_DEMO_UPSTREAM_PORT;
  const dataDir = process.env.SLUICE_DATA_DIR ?? ".sluice-demo";
  const port = process.env.PORT ?? "4000";
  start(["apps/upstream/src/demo.ts", "--port", upstreamPort, "--gateway", `http://127.0.0.1:${port}`, "--data", dataDir]);
  start(["apps/server/src/main.ts"], {
    env: {
      SLUICE_DATA_DIR: dataDir,
      SLUICE_CONFIG: process.env.SLUICE_CONFIG ?? demoConfig(root, dataDir, upstreamPort),
      SLUICE_ALLOW_PRIVATE_UPSTREAMS: `127.0.0.1:${upstreamPort}`,
      SLUICE_ADMIN_EMAIL: process.env.SLUICE_ADMIN_EMAIL ?? "admin@example.com",
      SLUICE_ADMIN_PASSWORD: process.env.SLUICE_ADMIN_PASSWORD ?? "sluice-demo-only",
    },
  });
  process.stdout.write("Demo: sign in as admin@example.com with the password sluice-demo-only\n");
} else if (dev) {
  start(["--watch", "--watch-preserve-output", "apps/server/src/main.ts"]);
  start([join(root, "node_modules/vite/bin/vite.js")], { cwd: join(root, "apps/console") });
} else {
  start(["apps/server/src/main.ts"]);
}
