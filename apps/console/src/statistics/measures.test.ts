import { zeroStatisticsColumns } from "@sluice/core/statistics-columns";
import { expect, it } from "vitest";
import { cellsOf, totalOf, valuesOf } from "./measures.ts";

it("the cache hit rate of a span is that of its tokens, not the mean of its buckets' rates", () => {
  const columns = { ...zeroStatisticsColumns(3), prompt: [100, 0, 900], cached: [100, 0, 0] };
  expect(valuesOf(columns, "cacheHitRate")).toEqual([1, null, 0]);
  expect(cellsOf(columns, "cacheHitRate")).toEqual([1, null, 0]);
  expect(totalOf(columns, "cacheHitRate", "en")).toBe("10.0%");
});
