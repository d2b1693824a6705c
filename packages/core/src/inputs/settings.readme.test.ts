import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { defaultSettings } from "./settings.ts";

describe("the table of settings", () => {
  it.each(["README.md", "README.zh-CN.md"])("of %s has every setting with its default, and no other", async (name) => {
    const text = await readFile(new URL(`../../../../${name}`, import.meta.url), "utf8");
    const rows = [...text.matchAll(/^\| (`[a-z]+\.[a-zA-Z]+`[^|]*)\|([^|]*)\|/gm)];
    const quoted = (cell = ""): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, value]) => value ?? "");
    const told = rows.flatMap(([, names, values]) => quoted(names).map((setting, at) => [setting, quoted(values)[at] ?? ""]));
    expect(Object.fromEntries(told)).toEqual(
      Object.fromEntries(Object.entries(defaultSettings()).map(([setting, value]) => [setting, String(value)])),
    );
  });
});
