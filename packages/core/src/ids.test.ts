import { describe, expect, test } from "vitest";
import { firstIdAt, isId, newId, timeOfId } from "./ids.ts";

describe("ids", () => {
  test("rise strictly within one millisecond, past 4,096 of them, and when the clock steps back", () => {
    const now = Date.now() + 1_000;
    const ids: string[] = [];
    for (let i = 0; i < 20_000; i++) ids.push(newId(now));
    for (let i = 0; i < 100; i++) ids.push(newId(now - 3_600_000));
    for (let i = 1; i < ids.length; i++) expect((ids[i] ?? "") > (ids[i - 1] ?? "")).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
    // 20,100 ids run at most five milliseconds ahead of the clock.
    expect(timeOfId(ids.at(-1) ?? "") - now).toBeLessThanOrEqual(5);
  });

  test("are canonical UUIDv7 that carry their time", () => {
    const now = Date.now() + 60_000;
    const id = newId(now);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(isId(id)).toBe(true);
    expect(timeOfId(id)).toBe(now);
  });

  test.each(["", "x", newId().toUpperCase(), `${newId()}0`, crypto.randomUUID(), newId().replaceAll("-", "")])("%s is no id", (text) => {
    expect(isId(text)).toBe(false);
  });

  test("a time range is an id range", () => {
    const now = Date.now() + 120_000;
    const id = newId(now);
    expect(firstIdAt(now) <= id).toBe(true);
    expect(id < firstIdAt(now + 1)).toBe(true);
    expect(isId(firstIdAt(now))).toBe(true);
    expect(timeOfId(firstIdAt(now))).toBe(now);
    expect(firstIdAt(-5)).toBe(firstIdAt(0));
    expect(timeOfId(firstIdAt(1.9))).toBe(1);
  });

  test("the same millisecond in two processes still differs: 62 random bits follow", () => {
    const tails = new Set(Array.from({ length: 5_000 }, () => newId().slice(19)));
    expect(tails.size).toBe(5_000);
  });
});
