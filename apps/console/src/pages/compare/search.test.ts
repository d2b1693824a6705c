import { expect, it } from "vitest";
import { idsOf, idsText } from "./search.ts";

it("passes over names that are longer than the server takes", () => {
  const longest = "m".repeat(200);
  expect(idsOf({ ids: idsText([longest, `${longest}x`, "a,b"]) })).toEqual([longest, "a,b"]);
});
