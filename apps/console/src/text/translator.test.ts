import { expect, it } from "vitest";
import { en } from "./en.ts";
import { translator } from "./translator.ts";
import { zhCN } from "./zh-CN.ts";

const english = translator(en, "en");
const chinese = translator(zhCN, "zh-CN");

it("inserts values into a text unchanged", () => {
  expect(english("nav.logs")).toBe("Logs");
  expect(english("setup.seenText", { model: "<gpt & co>", state: 7 })).toBe("<gpt & co> · 7");
  expect(english("setup.seenText", { model: "gpt", state: undefined })).toBe("gpt · ");
});

it("a count chooses the form that the language has for it", () => {
  expect([0, 1, 2].map((count) => english("logs.newErrors", { count }))).toEqual(["0 errors", "1 error", "2 errors"]);
  expect([0, 1, 2].map((count) => chinese("logs.newErrors", { count }))).toEqual(["0 个错误", "1 个错误", "2 个错误"]);
});

it("a count is a value like others where a text has no forms", () => {
  expect(english("logs.new", { count: 1 })).toBe("1 new");
});

it("for a missing text, returns the given fallback or the key itself", () => {
  expect(english("dialect.tomorrows" as "dialect.openai", { otherwise: "Tomorrow's" })).toBe("Tomorrow's");
  expect(english("errors.of_a_newer_server" as "errors.not_found")).toBe("errors.of_a_newer_server");
  expect(english("nav" as "nav.logs")).toBe("nav");
});
