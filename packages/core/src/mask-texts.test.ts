import { expect, test } from "vitest";
import { maskTexts } from "./mask-texts.ts";

test.each([
  ["as it is", "key sk/a+b= refused", "key … refused"],
  ["as JSON writes it", JSON.stringify({ of: 'sk"1\\2' }), '{"of":"…"}'],
  ["as PHP writes it", '"sk\\/a+b="', '"…"'],
  ["as Go writes it", '"x\\u0026y"', '"…"'],
  ["as a URL writes it", "?key=sk%2Fa%2Bb%3D&n=1", "?key=…&n=1"],
  ["whole, also where another one begins it", "sk/a+b=more", "…"],
  ["nowhere", "sk-a.b", "sk-a.b"],
])("a text is blanked %s", (_, text, masked) => {
  expect(maskTexts(["sk/a+b=", "", "sk/a+b=more", 'sk"1\\2', "x&y"])(text)).toBe(masked);
});

test("nothing to hide leaves a text as it is", () => {
  expect(maskTexts([""])("abc")).toBe("abc");
});
