import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";
import { type Place, places, upstreamPort } from "./e2e/places.ts";

/** `npx playwright test` starts everything itself; SLUICE_E2E_URL points it at a running instance instead. */
const external = process.env.SLUICE_E2E_URL;

const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));

export default defineConfig<{ place: Place }>({
  testDir: "e2e",
  outputDir: "test-results/e2e",
  fullyParallel: true,
  workers: process.env.CI ? 2 : 4,
  // CI shares its machine, so one retry is allowed; tests that needed it are listed at the end of the run (scripts/test.mjs).
  retries: process.env.CI ? 1 : 0,
  forbidOnly: Boolean(process.env.CI),
  // A limit for tests that hang, not a performance requirement: four workers with three processes each may share two slow cores.
  timeout: 150_000,
  expect: { timeout: 15_000 },
  reporter: [["list"], ["html", { open: "never", outputFolder: "playwright-report" }]],
  use: {
    // Traces contain a snapshot of every action; screenshots besides would cost a fifth of the run. Where failures are retried, the first
    // attempt is not traced, which saves a sixth of the run.
    trace: { mode: process.env.CI ? "on-first-retry" : "retain-on-failure", screenshots: false },
    locale: "en-US",
    viewport: { width: 1440, height: 900 },
    launchOptions: {
      executablePath: chromium,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  projects: external
    ? [
        {
          name: "external",
          grepInvert: /@stack/,
          use: { place: { name: "external", consoleUrl: external, gatewayUrl: process.env.SLUICE_E2E_GATEWAY_URL ?? external } },
        },
      ]
    : [
        // Gateway and api as separate processes that share only Redis and Postgres.
        { name: "split", use: { place: places.split } },
        // One process without Redis: what `npm start` gives on a machine without one.
        { name: "single", grep: /@live/, use: { place: places.single } },
      ],
  webServer: [
    {
      command: `node apps/upstream/src/main.ts --port ${upstreamPort}`,
      url: `http://127.0.0.1:${upstreamPort}/__oracle`,
    },
    ...(external
      ? []
      : [places.split, places.single].map((place) => ({
          command: `node e2e/serve.ts ${place.name}`,
          url: `${place.consoleUrl}/health/ready`,
          timeout: 240_000,
          gracefulShutdown: { signal: "SIGTERM" as const, timeout: 20_000 },
        }))),
  ].map((server) => ({ reuseExistingServer: false, stdout: "ignore" as const, stderr: "pipe" as const, ...server })),
});
