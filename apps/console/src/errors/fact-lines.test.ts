import { expect, it } from "vitest";
import { en } from "../text/en.ts";
import { translator } from "../text/translator.ts";
import { factLines, weekdayTime } from "./fact-lines.ts";

const names = { key: (id: string) => (id === "k1" ? "Team A" : id), user: (id: string) => id, provider: (id: string) => id };
/** A Thursday. */
const nowMs = new Date(2026, 10, 26, 12).getTime();
const mondayMs = new Date(2026, 10, 30).getTime();

it("a limit is told with its owner, its figures at that moment and when there is room again", () => {
  const reader = { t: translator(en, "en"), language: "en", names, nowMs };
  const facts = { kind: "limit", limit: "week", owner: "key", ownerId: "k1", value: 5e9, used: 4_990_000_000, wantedNanoUsd: 2e7 } as const;
  expect(factLines({ ...facts, resetAtMs: mondayMs }, reader)).toEqual([
    "Cost per week of key Team A",
    "$4.99 of $5.00 used or reserved at the time",
    "This request could have cost up to $0.02",
    "Available again Monday 00:00",
  ]);
  expect(factLines({ ...facts, resetAtMs: nowMs - 1 }, reader).at(-1)).toBe("Available again since Thursday 11:59");
  expect(factLines({ ...facts, limit: "total", resetAtMs: null }, reader).at(-1)).toBe("Does not reset automatically");
  expect(factLines({ ...facts, value: 1e7, resetAtMs: null }, reader).at(-1)).toBe(
    "Larger than the whole limit, so it can never be admitted",
  );
  expect(factLines({ ...facts, limit: "in_flight", value: 1, used: 1, resetAtMs: null }, reader)).toHaveLength(2);
  expect(factLines({ kind: "credit", availableNanoUsd: 0, neededNanoUsd: 2e9 }, reader)).toEqual(["$0 left, up to $2.00 needed"]);
});

it("a day further away than a week has its date", () => {
  expect(weekdayTime(new Date(2026, 11, 24, 8, 5).getTime(), nowMs, "en")).toBe("Dec 24, 2026, 08:05");
});
