import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const rows = readFileSync("docs/seeds.md", "utf8")
  .split("\n")
  .map((line) => /^\| ([A-Z]\d{1,2}) \| .+ \| (\S+) \|$/.exec(line))
  .filter((match) => match !== null);

test("docs/seeds.md has rows, each once", () => {
  const ids = rows.map(([, id]) => id);
  expect(ids.length).toBeGreaterThan(10);
  expect(new Set(ids).size).toBe(ids.length);
});

test.each(rows.map(([, id, path]) => [id ?? "", path ?? ""]))("%s is tested by %s", (id, path) => {
  expect(readFileSync(path, "utf8")).toMatch(new RegExp(`["'\`]${id}\\b`));
});
