import type { ConfigFileState, InstanceState } from "@sluice/core/events";
import { describe, expect, it } from "vitest";
import { createSystemBoard } from "./system-board.ts";

const config: ConfigFileState = {
  ...{ path: "/etc/sluice.yaml", status: "applied", atMs: 1, appliedAtMs: 1, problems: [] },
  ...{ created: 0, updated: 0, unchanged: 1, notes: [] },
};

function instance(id: string, fields: Partial<InstanceState> = {}): InstanceState {
  return {
    ...{ id, roles: ["gateway"], version: "1", runtime: "v24", host: "h", pid: 1, startedAtMs: 1, seenAtMs: 1, memoryBytes: 1 },
    ...{ subscribers: 0, framesPerSecond: 0, gateway: null, spool: null, config },
    ...fields,
  };
}

describe("the board of the system", () => {
  it("events about instances replace what was read before, and remove instances that left", () => {
    const board = createSystemBoard();
    board.push([{ type: "system.measured", instance: instance("a", { seenAtMs: 9 }) }]);
    board.load({ instances: [instance("a", { seenAtMs: 5 }), instance("b")], breakers: [] });
    expect([...board.get().instances.values()].map(({ id, seenAtMs }) => [id, seenAtMs])).toEqual([
      ["a", 9],
      ["b", 1],
    ]);
    board.push([{ type: "system.measured", instance: instance("a", { seenAtMs: 10, stopped: true }) }]);
    expect([...board.get().instances.keys()]).toEqual(["b"]);
  });

  it("hears of the configuration file at once, and of breakers that open and close", () => {
    const board = createSystemBoard();
    board.load({ instances: [instance("a")], breakers: [] });
    const failed = { ...config, status: "failed" as const, problems: ["line 4: x: unknown field"] };
    board.push([{ type: "config.failed", instanceId: "a", config: failed }]);
    expect(board.get().instances.get("a")?.config?.problems).toEqual(["line 4: x: unknown field"]);
    // Also for an instance whose figures were never loaded.
    board.push([{ type: "config.failed", instanceId: "b", config: failed }]);
    expect([...board.get().configs.keys()]).toEqual(["a", "b"]);
    const breaker = { providerId: "p", model: "m", state: "open" as const, failures: 5, probeAtMs: 1, cause: "500" };
    board.push([{ type: "provider.opened", breaker, atMs: 1 }]);
    expect(board.get().breakers.size).toBe(1);
    board.push([{ type: "provider.closed", breaker: { ...breaker, state: "closed" }, atMs: 2 }]);
    expect(board.get().breakers.size).toBe(0);
  });
});
