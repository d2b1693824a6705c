import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["packages/**/*.test.ts", "apps/**/*.test.{ts,tsx}", "scripts/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    setupFiles: ["packages/testing/src/setup.ts"],
    // More than there are cores: while one test waits for a lease or an outage to end, another can use its core.
    maxWorkers: 3,
    // Tests start real Postgres and Redis; on two busy cores a result may take seconds.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // As in playwright.config.ts: one retry on a shared machine, and tests that needed it are listed at the end of the run.
    retry: process.env.CI ? 1 : 0,
    coverage: {
      provider: "v8",
      include: ["packages/*/src/**/*.ts", "apps/server/src/**/*.ts", "apps/upstream/src/**/*.ts"],
      exclude: ["**/generated/**", "**/*.test.ts", "packages/testing/**"],
      reporter: ["text-summary", "json-summary"],
      thresholds: { lines: 80 },
    },
  },
});
