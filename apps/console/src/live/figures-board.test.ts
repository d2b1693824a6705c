import type { ProcessFigures, StoreFigures } from "@sluice/core/figures";
import { expect, it } from "vitest";
import { createFiguresBoard, perSecond } from "./figures-board.ts";

const process = (atMs: number, queryCount: number, instanceId = "a") => ({ atMs, queryCount, instanceId }) as ProcessFigures;
const stores = (atMs: number): StoreFigures => ({ atMs, postgres: null, redis: "not_used" });

it("counts become rates from the second reading on; a restart is not a rate, and late readings change nothing", () => {
  const board = createFiguresBoard();
  board.load({ process: process(1_000, 10), stores: stores(1_000) });
  const told = () => board.get().processes.get("a");
  const rate = () => {
    const figures = told();
    return figures ? perSecond(figures, (of) => of.queryCount) : undefined;
  };
  expect(rate()).toBeNull();
  board.push([{ type: "figures.measured", process: process(6_000, 60) }]);
  expect(rate()).toBe(10);
  board.push([{ type: "figures.measured", process: process(5_000, 999) }]);
  expect(told()?.now.queryCount).toBe(60);
  board.push([{ type: "figures.measured", process: process(11_000, 3) }]);
  expect(rate()).toBeNull();
});

it("a process that fell silent is gone after a minute", () => {
  const board = createFiguresBoard();
  board.push([
    { type: "figures.measured", process: process(1_000, 1, "a") },
    { type: "figures.measured", process: process(2_000, 1, "b") },
  ]);
  expect([...board.get().processes.keys()]).toEqual(["a", "b"]);
  board.push([{ type: "figures.measured", process: process(61_500, 1, "b") }]);
  expect([...board.get().processes.keys()]).toEqual(["b"]);
});
