import { afterEach, beforeEach, expect, vi } from "vitest";

// A test that prints an error has met one: it fails, unless it says that it expects to.
beforeEach(() => {
  vi.spyOn(console, "error");
});
afterEach(() => {
  const spy = vi.mocked(console.error);
  const calls = spy.mock?.calls ?? [];
  spy.mockRestore?.();
  expect(calls, "console.error was called").toEqual([]);
});
