import { expect, it } from "vitest";
import { rowCounter } from "./export-download.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

it("counts rows of CSV, not lines within quotes, wherever the pieces are cut", () => {
  const text = 'a,b\r\n1,"x\ny ""z"""\r\n2,w\r\n';
  for (let cut = 0; cut <= text.length; cut++) {
    const count = rowCounter(true);
    count(bytes(text.slice(0, cut)));
    expect(count(bytes(text.slice(cut)))).toBe(2);
  }
});

it("counts the objects of a JSON list", () => {
  const count = rowCounter(false);
  expect(count(bytes('[\n{"a":"{"},\n{"a"'))).toBe(2);
  expect(count(bytes(':"\\n{"}\n]\n'))).toBe(2);
  expect(rowCounter(false)(bytes("[]\n"))).toBe(0);
});
