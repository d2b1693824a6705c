import { expect, it } from "vitest";
import { serverUrl } from "./server-url.ts";

it.each([
  ["127.0.0.1", "http://127.0.0.1:4000"],
  ["sluice.example", "http://sluice.example:4000"],
  ["0.0.0.0", "http://127.0.0.1:4000"],
  ["::", "http://127.0.0.1:4000"],
  ["::1", "http://[::1]:4000"],
])("a server on %s is reached at %s", (host, url) => {
  expect(serverUrl({ host, port: 4000, consolePort: null })).toBe(url);
  expect(serverUrl({ host, port: 3000, consolePort: 4000 })).toBe(url);
});
