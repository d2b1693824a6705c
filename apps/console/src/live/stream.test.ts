import { afterEach, beforeEach, expect, it, vi } from "vitest";

const fake = vi.hoisted(() => ({ open: new Set<{ lose(): void }>(), current: (): Promise<unknown> => Promise.resolve({}) }));
vi.mock("../api/client.ts", () => ({
  client: {
    live: {
      events: {
        subscribe(_input: unknown, { onError }: { onError(error: unknown): void }) {
          const one = { lose: () => onError(new TypeError("no answer")) };
          fake.open.add(one);
          return { unsubscribe: () => fake.open.delete(one) };
        },
      },
    },
    logins: { current: { query: () => fake.current() } },
  },
}));

const { openStream } = await import("./stream.ts");

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("window", new EventTarget());
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("remains a single stream if it is hurried while the login is being checked, before the next attempt", async () => {
  const answer = Promise.withResolvers<unknown>();
  fake.current = () => answer.promise;
  const stream = openStream({
    position: () => "",
    topics: () => [],
    frame: () => {},
    state: () => {},
    stillAllowed: () => true,
  });
  for (const one of fake.open) one.lose();
  expect(fake.open.size).toBe(0);
  await vi.advanceTimersByTimeAsync(1_000);
  stream.hurry();
  expect(fake.open.size).toBe(1);
  answer.resolve({});
  await vi.advanceTimersByTimeAsync(1_000);
  expect(fake.open.size).toBe(1);
  stream.close();
  expect(fake.open.size).toBe(0);
});
