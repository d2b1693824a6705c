import { expect, it } from "vitest";
import { cn } from "./class-names.ts";

it("lets the last of two that set the same property win", () => {
  expect(cn("h-8 px-3 text-sm text-ink", "h-6 px-0 text-bad")).toBe("text-sm h-6 px-0 text-bad");
  expect(cn("size-8 border border-line bg-surface", "size-6", false, "border-bad bg-bad-soft")).toBe(
    "border size-6 border-bad bg-bad-soft",
  );
  expect(cn("h-9 w-full", "size-6")).toBe("size-6");
  expect(cn("flex items-center gap-x-3 leading-relaxed", "grid gap-2 text-xs")).toBe("items-center grid gap-2 text-xs");
});

it("keeps what differs in its side, its state or its kind", () => {
  const all =
    "border border-line border-t-0 rounded-t-lg rounded-b-lg gap-x-6 gap-y-2 text-right text-xs text-balance text-ink-3 hover:bg-hover bg-surface";
  expect(cn(all)).toBe(all);
});
