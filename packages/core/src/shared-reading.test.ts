import { expect, test } from "vitest";
import { sharedReading } from "./shared-reading.ts";

test("calls during a reading share the next one, even if it fails", async () => {
  const ends: ((failure?: Error) => void)[] = [];
  const ask = sharedReading(
    () =>
      new Promise<number>((resolve, reject) => {
        const number = ends.length;
        ends.push((failure) => (failure ? reject(failure) : resolve(number)));
      }),
  );
  const [first, second, third] = [ask(), ask(), ask()];
  expect(ends).toHaveLength(1);
  ends[0]?.(new Error("away"));
  await expect(first).rejects.toThrow("away");
  await expect.poll(() => ends.length).toBe(2);
  ends[1]?.();
  expect(await Promise.all([second, third])).toEqual([1, 1]);
  const last = ask();
  ends[2]?.();
  expect(await last).toBe(2);
});
