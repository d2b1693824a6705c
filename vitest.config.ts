import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["packages/**/*.test.ts", "apps/**/*.test.{ts,tsx}", "scripts/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    setupFiles: ["packages/testing/src/setup.ts"],
    // More than there are processors: what waits for a lease or an outage to end leaves its own to another.
    maxWorkers: 3,
    // Real Postgres and Redis start inside tests; an outcome may take seconds on two busy cores.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // As in playwright.config.ts: one more try where the machine is shared, and what needed it is named at the end of the run.
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
