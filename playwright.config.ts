import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";
import { type Place, places, upstreamPort } from "./e2e/places.ts";

/** `npx playwright test` starts everything itself; SLUICE_E2E_URL points it at an instance that runs already. */
const external = process.env.SLUICE_E2E_URL;

const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));

export default defineConfig<{ place: Place }>({
  testDir: "e2e",
  outputDir: "test-results/e2e",
  fullyParallel: true,
  workers: process.env.CI ? 2 : 4,
  // CI shares its machine: one more try, and whatever needed it is named at the end of the run (scripts/test.mjs).
  retries: process.env.CI ? 1 : 0,
  forbidOnly: Boolean(process.env.CI),
  // What ends a test that hangs, not how fast one is: four workers of three processes each share what may be two slow cores.
  timeout: 150_000,
  expect: { timeout: 15_000 },
  reporter: [["list"], ["html", { open: "never", outputFolder: "playwright-report" }]],
  use: {
    // Every action has its snapshot; a film of each test besides would cost a fifth of the run. Where a failure is tried again, what
    // passes at once need not be written down: a sixth of what the tests cost.
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
        // Gateway and api are separate processes that share nothing but Redis (and Postgres).
        { name: "split", use: { place: places.split } },
        // One process without Redis: what `npm start` is on a machine that has none.
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
