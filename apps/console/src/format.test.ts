import { describe, expect, it } from "vitest";
import { costLines } from "./cost-lines.ts";
import {
  clockParts,
  exactCost,
  formatAgo,
  formatCost,
  formatCount,
  formatDuration,
  formatElapsed,
  formatPercent,
  formatSpan,
} from "./format.ts";

describe("money", () => {
  it.each([
    ["0", "$0"],
    ["1", "<$0.0001"],
    ["99999", "<$0.0001"],
    ["100000", "$0.0001"],
    ["10500000", "$0.0105"],
    ["123456", "$0.0001235"],
    ["500000000", "$0.50"],
    ["999949999", "$0.9999"],
    ["999950000", "$1.00"],
    ["1000000000", "$1.00"],
    ["1005000000", "$1.01"],
    ["1234567890123456", "$1,234,567.89"],
    ["-2500000000", "-$2.50"],
    [null, "—"],
  ])("%s nano-USD is %s", (nano, text) => expect(formatCost(nano)).toBe(text));

  it("is never $0.00 for anything that is not zero", () => {
    for (let digits = 0; digits < 20; digits++)
      for (const lead of [1n, 4n, 9n]) expect(formatCost((lead * 10n ** BigInt(digits)).toString())).not.toMatch(/\$0(\.0*)?$/);
  });

  it("is exact where it is copied", () => {
    expect(exactCost("10500001")).toBe("$0.010500001");
    expect(exactCost("-3000000000")).toBe("-$3");
  });

  it("adds up: the parts of a breakdown are the parts of the total", () => {
    const lines = costLines(
      { input: 1000, output: 500, cacheRead: 10, cacheWrite5m: 0, cacheWrite1h: 0 },
      {
        input: "3000000000000000",
        output: "7500000000000000",
        cacheRead: "3000000000000",
        cacheWrite5m: "0",
        cacheWrite1h: "0",
        providerMultiplier: "1.5",
        groupMultiplier: "2",
      },
    );
    expect(lines).toEqual([
      { kind: "input", tokens: 1000, nanoUsd: "9000000" },
      { kind: "output", tokens: 500, nanoUsd: "22500000" },
      { kind: "cacheRead", tokens: 10, nanoUsd: "9000" },
    ]);
  });
});

it.each([
  [0, "0 ms"],
  [999.4, "999 ms"],
  [1_000, "1.00 s"],
  [12_340, "12.3 s"],
  [59_960, "1m 00s"],
  [67_000, "1m 07s"],
  [3_661_000, "1h 01m"],
  [null, "—"],
])("%s ms lasts %s", (ms, text) => expect(formatDuration(ms)).toBe(text));

it("ticks in whole seconds", () => {
  expect(formatElapsed(7_900)).toBe("7 s");
  expect(formatElapsed(67_900)).toBe("1m 07s");
  expect(formatElapsed(-50)).toBe("0 s");
});

it("shortens large counts as the language does", () => {
  expect(formatCount(9_999, "en")).toBe("9,999");
  expect(formatCount(1_234_567, "en")).toBe("1.2M");
  expect(formatCount(1_203_000, "zh-CN")).toBe("120.3万");
});

it("keeps one decimal of a percentage", () => {
  expect(formatPercent(1, 3)).toBe("33.3%");
  expect(formatPercent(0, 3)).toBe("0%");
  expect(formatPercent(0, 0)).toBe("—");
  expect(formatPercent(1, 10_000)).toBe("<0.1%");
  expect(formatPercent(1, 2_000)).toBe("0.1%");
  expect(formatPercent(9_999, 10_000)).toBe(">99.9%");
  expect(formatPercent(3, 3)).toBe("100%");
});

it("says spans in words", () => {
  expect(formatSpan(300, "en")).toBe("5 minutes");
  expect(formatSpan(7_200, "en")).toBe("2 hours");
  expect(formatSpan(45, "en")).toBe("45 seconds");
});

it("writes a local time with its ms apart", () => {
  const at = new Date(2026, 0, 2, 3, 4, 5, 67);
  expect(clockParts(at.getTime())).toEqual({ time: "03:04:05", ms: ".067" });
});

it("says how long ago something was in the words of the language", () => {
  expect([400, 4_900, 61_000, 7_300_000, 90_000_000].map((ms) => formatAgo(ms, "en"))).toEqual([
    "0s ago",
    "4s ago",
    "1m ago",
    "2h ago",
    "1d ago",
  ]);
  expect([4_900, 61_000].map((ms) => formatAgo(ms, "zh-CN"))).toEqual(["4秒前", "1分钟前"]);
  expect(formatAgo(-50, "en")).toBe("0s ago");
});
