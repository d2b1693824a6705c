import { expect, it } from "vitest";
import { foundCanaries } from "./canaries.ts";

const secret = 'canary "with" / and ü';

it.each([
  ["as it is", secret],
  ["in JSON", JSON.stringify({ secret })],
  ["in a URL", `https://a.example/?s=${encodeURIComponent(secret)}&t=1`],
  ["as base64", Buffer.from(secret).toString("base64")],
  ["as hex", `0x${Buffer.from(secret).toString("hex")}`],
])("finds a secret %s", (_, text) => {
  expect(foundCanaries({ one: secret, other: "another-canary" }, { log: `before ${text} after`, empty: "" })).toEqual(["one in log"]);
});

it("refuses texts that could occur by chance", () => {
  expect(() => foundCanaries({ short: "abc" }, {})).toThrow(RangeError);
});
