import { expect, it } from "vitest";
import type { ProviderLine } from "../../providers/provider.ts";
import { differencesOf, noBatch } from "./batch-change.ts";
import { movedPlace, type Place, placesOf, prioritiesOf } from "./provider-order.ts";

const line = (id: string, priority: number, more: Partial<ProviderLine> = {}): ProviderLine => ({
  ...{ id, name: id, dialect: "anthropic", host: "h", groups: ["default"], priority, weight: 1, enabled: true },
  ...more,
});
const shape = (places: readonly Place[]) => places.map(({ provider, together }) => `${together ? "+" : ""}${provider.id}`).join(" ");

it("reads the order with its steps", () => {
  expect(shape(placesOf([line("c", 5), line("a", 0), line("b", 0)]))).toBe("a +b c");
});

it("moves one without pulling others along", () => {
  const places = placesOf([line("a", 0), line("b", 0), line("c", 5)]);
  expect(shape(movedPlace(places, 2, 0))).toBe("c a +b");
  expect(shape(movedPlace(places, 0, 2))).toBe("b c a");
  expect(shape(movedPlace(places, 1, 0))).toBe("b a c");
  expect(movedPlace(places, 0, -1)).toEqual(places);
});

it("writes priorities, only where they change", () => {
  const places = movedPlace(placesOf([line("a", 0), line("b", 10)]), 1, 0);
  expect(prioritiesOf(places).map(({ before, after }) => [after.id, before.priority, after.priority])).toEqual([
    ["b", 10, 0],
    ["a", 0, 10],
  ]);
  expect(prioritiesOf(placesOf([line("a", 0), line("b", 10)]))).toEqual([]);
});

it("a batch holds what differs, and what was before", () => {
  const providers = [line("a", 3, { groups: ["default", "vip"] }), line("b", 7, { costMultiplier: "2" })];
  const values = { ...noBatch, priority: "7", costMultiplier: "2", addGroups: "new", removeGroups: "vip" };
  expect(differencesOf(providers, values).map(({ before, after }) => [before, after])).toEqual([
    [
      { id: "a", priority: 3, groups: ["default", "vip"], costMultiplier: "1" },
      { id: "a", priority: 7, groups: ["default", "new"], costMultiplier: "2" },
    ],
    [
      { id: "b", groups: ["default"] },
      { id: "b", groups: ["default", "new"] },
    ],
  ]);
  expect(differencesOf(providers, noBatch)).toEqual([]);
});
