import { expect, it } from "vitest";
import { createResolver, type ResolvedAddress } from "../src/resolver.ts";

function setup(answers: (ResolvedAddress[] | Error)[]) {
  let ms = 0;
  let asked = 0;
  const resolve = createResolver({ now: () => ms, monotonic: () => ms }, async () => {
    const answer = answers[Math.min(asked, answers.length - 1)];
    asked += 1;
    if (answer instanceof Error || answer === undefined) throw answer;
    return answer;
  });
  return {
    resolve,
    asked: () => asked,
    pass: (by: number) => {
      ms += by;
    },
  };
}

const one = (address: string, ttlS: number): ResolvedAddress[] => [{ address, family: 4, ttlS }];

it("a name is looked up once during the lifetime of its record", async () => {
  const { resolve, asked, pass } = setup([one("192.0.2.1", 10), one("192.0.2.2", 10)]);
  const [a, b] = await Promise.all([resolve("a.example"), resolve("a.example")]);
  expect(a).toBe(b);
  pass(9_999);
  expect((await resolve("a.example"))[0]?.address).toBe("192.0.2.1");
  expect(asked()).toBe(1);
  pass(2);
  expect((await resolve("a.example"))[0]?.address).toBe("192.0.2.2");
});

it("a record never lives longer than five minutes", async () => {
  const { resolve, asked, pass } = setup([one("192.0.2.1", 86_400)]);
  await resolve("a.example");
  pass(300_001);
  await resolve("a.example");
  expect(asked()).toBe(2);
});

it("a known name outlives an outage of DNS for ten minutes, an unknown one fails", async () => {
  const { resolve, pass } = setup([one("192.0.2.1", 1), new Error("SERVFAIL")]);
  await resolve("a.example");
  pass(300_000);
  expect((await resolve("a.example"))[0]?.address).toBe("192.0.2.1");
  pass(400_000);
  await expect(resolve("a.example")).rejects.toThrow("SERVFAIL");
  await expect(resolve("b.example")).rejects.toThrow("SERVFAIL");
});

it("beyond a thousand names, the oldest are evicted", async () => {
  const { resolve, asked } = setup([one("192.0.2.1", 60)]);
  for (let i = 0; i <= 1_000; i += 1) await resolve(`${i}.example`);
  await resolve("1000.example");
  expect(asked()).toBe(1_001);
  await resolve("0.example");
  expect(asked()).toBe(1_002);
});
