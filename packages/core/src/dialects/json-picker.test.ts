import { expect, test } from "vitest";
import { JsonPicker } from "./json-picker.ts";

const paths = ["usage", "model", "response.usage", "response.model", "candidates.*.finishReason", "error"];

function pick(text: string, slice: number): unknown {
  const picker = new JsonPicker(paths);
  const latin1 = Buffer.from(text).toString("latin1");
  for (let at = 0; at < latin1.length; at += slice) picker.push(latin1.slice(at, at + slice));
  return picker.result();
}

test.each<[text: string, picked: object]>([
  ['{"usage":{"a":1,"b":[2,{"c":"}]"}]},"model":"m"}', { usage: { a: 1, b: [2, { c: "}]" }] }, model: "m" }],
  ['{ "model" : "é\\"中" , "usage" : null }', { model: 'é"中', usage: null }],
  [
    '{"x":{"usage":1},"y":[{"model":"n"}],"response":{"usage":{"n":-1.5e3},"output":[{"usage":2}],"model":"r"}}',
    { response: { usage: { n: -1500 }, model: "r" } },
  ],
  ['{"candidates":[{"content":{"finishReason":"X"}},{"finishReason":"STOP"}]}', { candidates: [{ finishReason: "STOP" }] }],
  ['{"text":"\\"usage\\":{\\"a\\":1},\\\\","usage":true}', { usage: true }],
  ['{"a":[1,2,"model",{"model":"x"}],"model":"y"}', { model: "y" }],
  ['{"a":[[[[{"model":"x","s":"]}\\"[","n":[1,-2.5,null]}]]]],"model":"y"}', { model: "y" }],
  ['{"usage":1,"usage":{"a":2}}', { usage: { a: 2 } }],
  ['["usage",{"usage":1}]', {}],
  ["not json ]]}}{{", {}],
  ["", {}],
])("%s", (text, picked) => {
  for (let slice = 1; slice <= text.length + 1; slice++) expect(pick(text, slice)).toEqual(picked);
});

test("a wanted value that is too large is left, the others are found", () => {
  expect(pick(`{"usage":"${"x".repeat(100_000)}","model":"m"}`, 1000)).toEqual({ model: "m" });
});
