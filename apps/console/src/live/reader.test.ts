import type { LiveEvent } from "@sluice/core/events";
import type { RequestRow } from "@sluice/core/requests";
import { expect, it, vi } from "vitest";
import type { LiveListener } from "./hub.ts";

const stream = vi.hoisted(() => ({ hear: {} as LiveListener }));
vi.mock("./hub.ts", () => ({
  listen(listener: LiveListener) {
    stream.hear = listener;
  },
}));
const { arrivalRate } = await import("./reader.ts");

it("counts each request that started, including one that only its end reports", () => {
  const event = (type: "request.started" | "request.finished", startedAtMs: number): LiveEvent => ({
    ...{ type, rev: 0, row: { startedAtMs } as RequestRow },
  });
  stream.hear.events?.([event("request.started", 950)], "e:1000-0", "e:900-0");
  const [ofEarlier, quick] = [event("request.finished", 950), event("request.finished", 1_010)];
  stream.hear.events?.([ofEarlier, quick, quick, quick, quick], "e:1100-0", "e:1000-0");
  expect(arrivalRate()).toBe(1);
});
