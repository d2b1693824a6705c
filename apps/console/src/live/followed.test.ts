import { expect, it } from "vitest";
import { Followed } from "./followed.ts";

it("a list is complete when each of its topics was followed before it was read", async () => {
  const followed = new Followed();
  expect(followed.follow(["logs"], "e:10-0")).toEqual([]);
  expect(await followed.covers("e:10-0", ["logs"])).toBe(true);
  expect(await followed.covers("e:9-0", ["logs"])).toBe(false);
  // The stream continues with one more topic.
  expect(followed.follow(["logs", "sessions"], "e:20-0")).toEqual([]);
  expect(await followed.covers("e:15-0", ["logs"])).toBe(true);
  expect(await followed.covers("e:15-0", ["logs", "sessions"])).toBe(false);
  expect(await followed.covers("e:20-0", ["logs", "sessions"])).toBe(true);
});

it("a topic that lapsed counts from the position where it is followed again, and callers wait for that", async () => {
  const followed = new Followed();
  followed.follow(["logs", "system"], "e:10-0");
  expect(followed.follow(["system"], "e:20-0")).toEqual(["logs"]);
  let answer: boolean | undefined;
  const asking = followed.covers("e:25-0", ["logs"]).then((whole) => {
    answer = whole;
  });
  await Promise.resolve();
  expect(answer).toBeUndefined();
  followed.follow(["logs", "system"], "e:30-0");
  await asking;
  expect(answer).toBe(false);
  expect(await followed.covers("e:30-0", ["logs", "system"])).toBe(true);
});

it("after a gap nothing that was read before it is complete, not even lists without a topic", async () => {
  const followed = new Followed();
  followed.follow([], "e:10-0");
  expect(await followed.covers("e:10-0", [])).toBe(true);
  followed.clear();
  followed.follow([], "e:40-0");
  expect(await followed.covers("e:10-0", [])).toBe(false);
});
