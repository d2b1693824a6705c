import { createOutageWatch } from "@sluice/services/outage-watch";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A watch over a database that is up or down, with counters of its probes and recoveries. */
function watched() {
  const state = { away: true, asked: 0, told: 0 };
  const watch = createOutageWatch({
    clock: { now: () => Date.now(), monotonic: () => Date.now() },
    ask: async () => {
      state.asked += 1;
      if (state.away) throw new Error("away");
    },
    onReturned: () => {
      state.told += 1;
    },
  });
  return { watch, state };
}

it("sends no query until an outage was noticed, and none after its end was reported", async () => {
  const { watch, state } = watched();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(state.asked).toBe(0);
  for (let viewers = 0; viewers < 20; viewers++) watch.noticed();
  await vi.advanceTimersByTimeAsync(20_000);
  expect([state.asked > 3, state.told]).toEqual([true, 0]);
  state.away = false;
  await vi.advanceTimersByTimeAsync(5_000);
  const { asked } = state;
  await vi.advanceTimersByTimeAsync(600_000);
  expect([state.asked - asked, state.told]).toEqual([0, 1]);
});

it("a database that fails again as soon as it is back is reported less and less often, and at once again after a calm minute", async () => {
  const { watch, state } = watched();
  state.away = false;
  for (let ms = 0; ms < 300_000; ms += 100) {
    watch.noticed();
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(state.told).toBeLessThan(16);
  await vi.advanceTimersByTimeAsync(120_000);
  const before = state.told;
  watch.noticed();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(state.told).toBe(before + 1);
});
