import { bundleSizes } from "@sluice/testing/bundle-sizes";
import { describe, expect, it } from "vitest";

const KB = 1_000;

/** The output of `npm run build`; `npm test` builds before it runs this. */
describe("W31 what a visitor downloads", () => {
  const sizes = bundleSizes();

  it("before any page is at most 220 KB of code and 30 KB of style", () => {
    expect(sizes.initialJs).toBeLessThanOrEqual(220 * KB);
    expect(sizes.css).toBeLessThanOrEqual(30 * KB);
  });

  it("for the log is at most 45 KB more", () => {
    expect(sizes.logsRouteJs).toBeLessThanOrEqual(45 * KB);
  });

  it("on demand is at most 120 KB at a time", () => {
    expect([sizes.largestLazyName, sizes.largestLazyJs <= 120 * KB]).toEqual([sizes.largestLazyName, true]);
  });

  it("holds no font above 60 KB", () => {
    expect(sizes.largestFont).toBeLessThanOrEqual(60 * KB);
  });
});
