import type { RequestRow } from "@sluice/core/requests";
import { unite } from "@sluice/services/logs/list-logs";
import { shapeDetail } from "@sluice/services/logs/shape-log";
import { requestDetail, requestRow } from "@sluice/testing/factories";
import { describe, expect, it } from "vitest";

const at = (ms: number, fields: Partial<RequestRow> = {}): RequestRow => requestRow({ startedAtMs: ms, ...fields });

describe("a page of the log", () => {
  it("puts rows of both sources in one order", () => {
    const [a, b, c] = [at(1_000), at(2_000), at(3_000)];
    expect(unite({ rows: [c, a], next: null, searchedToMs: null }, [b], 50).rows).toEqual([c, b, a]);
  });

  it("takes the table's state of a row that is in both", () => {
    const live = at(1_000, { state: "in_flight" });
    const done = { ...live, state: "done" as const };
    expect(unite({ rows: [done], next: null, searchedToMs: null }, [live], 50).rows).toEqual([done]);
  });

  it("leaves rows below the page's end to the next page", () => {
    const [old, edge, young] = [at(1_000), at(2_000), at(3_000)];
    const page = unite({ rows: [edge], next: edge.id, searchedToMs: null }, [old, young], 50);
    expect(page.rows).toEqual([young, edge]);
    expect(page.next).toBe(edge.id);
  });

  it("stays within its limit and goes on from its last row", () => {
    const rows = [at(5_000), at(4_000), at(3_000)];
    const page = unite({ rows: rows.slice(0, 2), next: null, searchedToMs: null }, rows.slice(2), 2);
    expect(page.rows).toEqual(rows.slice(0, 2));
    expect(page.next).toBe(rows[1]?.id);
  });

  it("keeps how far a bounded look went", () => {
    const edge = at(2_000);
    expect(unite({ rows: [], next: edge.id, searchedToMs: 2_000 }, [], 50)).toEqual({ rows: [], next: edge.id, searchedToMs: 2_000 });
  });
});

describe("the detail a user sees", () => {
  it("names no provider, no upstream cost and nothing internal", () => {
    const detail = requestDetail({ error: { message: "The provider returned an error.", detail: "connect ECONNREFUSED 10.0.0.1" } });
    const text = JSON.stringify(shapeDetail({ kind: "user", userId: "u" }, { ...detail, attempts: [attempt] }));
    expect(text).not.toContain("provider-1");
    expect(text).not.toContain("secret-model");
    expect(text).not.toContain("777");
    expect(text).not.toContain("ECONNREFUSED");
    expect(text).toContain("The provider returned an error.");
  });
});

const attempt = {
  providerId: "provider-1",
  upstreamModel: "secret-model",
  startedMs: 0,
  firstContentMs: null,
  endedMs: 1,
  status: null,
  outcome: "failed" as const,
  errorCode: "upstream_error",
  upstreamCostNanoUsd: "777",
  usage: { input: 0, output: 0, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0 },
};
