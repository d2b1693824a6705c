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

const written = (places: readonly Place[]) => prioritiesOf(places).map(({ before, after }) => [after.id, before.priority, after.priority]);

it("writes priorities only where they must change", () => {
  expect(written(placesOf([line("a", 0), line("b", 10)]))).toEqual([]);
  const three = placesOf([line("a", 5), line("b", 10), line("c", 20)]);
  expect(written(movedPlace(three, 2, 1))).toEqual([["c", 20, 7]]);
  expect(written(movedPlace(three, 2, 0))).toEqual([["c", 20, 2]]);
  expect(written(movedPlace(three, 0, 2))).toEqual([["a", 5, 30]]);
});

it("numbers all anew where there is no room", () => {
  expect(written(movedPlace(placesOf([line("a", 0), line("b", 1)]), 1, 0))).toEqual([
    ["b", 1, 0],
    ["a", 0, 10],
  ]);
  expect(written(movedPlace(placesOf([line("a", 999), line("b", 1_000)]), 0, 1))).toEqual([["b", 1_000, 499]]);
  const many = Array.from({ length: 300 }, (_, index) => line(`p${String(index).padStart(3, "0")}`, index));
  const priorities = prioritiesOf(movedPlace(placesOf(many), 299, 0)).map(({ after }) => after.priority ?? 0);
  expect(Math.max(...priorities)).toBeLessThanOrEqual(1_000);
});

it("a batch contains the differences, and the values before", () => {
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
