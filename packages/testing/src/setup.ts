import type { MockInstance } from "vitest";
import { afterEach, beforeEach, expect, vi } from "vitest";

let errors: MockInstance<(...data: unknown[]) => void>;

// A test that prints an error fails, unless it expects the error and says so by clearing the spy's calls.
beforeEach(() => {
  errors = vi.spyOn(console, "error");
});
afterEach(() => {
  const { calls } = errors.mock;
  errors.mockRestore();
  expect(calls, "console.error was called").toEqual([]);
});
