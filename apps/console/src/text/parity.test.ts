import { errorCatalogue } from "@sluice/core/errors";
import { settingSchemas } from "@sluice/core/inputs/settings";
import { describe, expect, it } from "vitest";
import { en } from "./en.ts";
import { explanationsEn } from "./explanations-en.ts";
import { explanationsZhCN } from "./explanations-zh-CN.ts";
import { zhCN } from "./zh-CN.ts";

type Tree = { readonly [key: string]: string | Tree };

function flat(tree: Tree, prefix = ""): Map<string, string> {
  return new Map(
    Object.entries(tree).flatMap(([key, value]) =>
      typeof value === "string" ? [[prefix + key, value] as const] : [...flat(value, `${prefix}${key}.`)],
    ),
  );
}

const placeholders = (text: string): string[] => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1] ?? "").sort();
const english = flat(en);
const chinese = flat(zhCN as unknown as Tree);

describe("Chinese", () => {
  it("has every key that English has, and no other", () => {
    const wanted = [...english.keys()].filter((key) => !key.endsWith("_one")).sort();
    expect([...chinese.keys()].filter((key) => !key.endsWith("_one")).sort()).toEqual(wanted);
  });

  it("fills the same placeholders", () => {
    for (const [key, text] of chinese) expect(placeholders(text), key).toEqual(placeholders(english.get(key) ?? ""));
  });

  it("leaves nothing empty and nothing in English by accident", () => {
    const same = [...chinese]
      .filter(([key, text]) => text === english.get(key) && /[a-z]{4,}/.test(text.replace(/\{\{\w+\}\}/g, "")))
      .map(([key]) => key);
    expect(same.filter((key) => !/^dialect\.|^alerts\.channelKind\.|^providers\.serve\.|^settings\.option\./.test(key))).toEqual([]);
    for (const [key, text] of chinese) expect(text.trim(), key).not.toBe("");
  });
});

describe("explanations of errors", () => {
  it("say in both languages why and what to do, each in its own", () => {
    for (const [code, { why, fix }] of Object.entries(explanationsEn)) expect(why.length * fix.length, code).toBeGreaterThan(0);
    for (const [code, { why, fix }] of Object.entries(explanationsZhCN))
      for (const text of [why, fix]) expect(text, code).toMatch(/[\u4e00-\u9fff]/);
  });
});

describe("English", () => {
  it("has a singular for what it counts", () => {
    // Shown for two attempts or more, for as many rows as a page holds, and for as many requests as are read at most.
    const many = /^(logs\.(attemptsCount|full)|prices\.reprice\.incomplete)$/;
    const counted = /\{\{\w+\}\} (attempts|keys|models|requests|rows|sessions|users)\b/;
    const missing = [...english.entries()].filter(([key, text]) => {
      const hasSingular = key.endsWith("_other") && english.has(key.replace(/_other$/, "_one"));
      return counted.test(text) && !hasSingular && !many.test(key);
    });
    expect(missing).toEqual([]);
  });

  it("has a text for every code of the error catalogue", () => {
    for (const code of Object.keys(errorCatalogue)) expect(en.errors, code).toHaveProperty(code);
  });

  it("has a name and a hint for every setting", () => {
    for (const name of Object.keys(settingSchemas)) {
      const key = name.replace(".", "_");
      expect(Object.keys(en.settings.name), key).toContain(key);
      expect(Object.keys(en.settings.hint), key).toContain(key);
      expect(Object.keys(en.settings.group)).toContain(name.split(".")[0]);
    }
  });
});
