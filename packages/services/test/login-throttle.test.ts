import { createLoginThrottle, networkOf } from "@sluice/services/logins/login-throttle";
import { describe, expect, it } from "vitest";

const limits = { perAddress: 6, perPair: 3, slowPerAccount: 1_000, slowOverall: 1_000, windowSeconds: 60, delayMs: 1 };

describe("the throttle against guessing", () => {
  it("stops one address guessing at one account, and says when to come back", async () => {
    const throttle = createLoginThrottle(null, limits);
    for (let i = 0; i < 3; i++) await throttle.attempt("1.2.3.4", "ada");
    await expect(throttle.attempt("1.2.3.4", "ada")).rejects.toMatchObject({ code: "login_throttled", retryAfterS: expect.any(Number) });
  });

  it("does not lock the account for other addresses", async () => {
    const throttle = createLoginThrottle(null, limits);
    for (let i = 0; i < 4; i++) await throttle.attempt("1.2.3.4", "ada").catch(() => undefined);
    await expect(throttle.attempt("5.6.7.8", "ada")).resolves.toBeUndefined();
  });

  it("stops an address that tries many accounts", async () => {
    const throttle = createLoginThrottle(null, limits);
    for (let i = 0; i < 6; i++) await throttle.attempt("1.2.3.4", `user-${i}`);
    await expect(throttle.attempt("1.2.3.4", "user-9")).rejects.toMatchObject({ code: "login_throttled" });
  });

  it("counts failures only", async () => {
    const throttle = createLoginThrottle(null, limits);
    for (let i = 0; i < 20; i++) {
      await throttle.attempt("1.2.3.4", "ada");
      await throttle.succeeded("1.2.3.4", "ada");
    }
    await expect(throttle.attempt("1.2.3.4", "ada")).resolves.toBeUndefined();
  });

  it("slows an account under a spread attack down and still lets its owner in", async () => {
    const throttle = createLoginThrottle(null, { ...limits, slowPerAccount: 2 });
    for (let i = 0; i < 8; i++) await throttle.attempt(`10.0.0.${i}`, "ada");
    await expect(throttle.attempt("5.6.7.8", "ada")).resolves.toBeUndefined();
  });

  it.each([
    ["1.2.3.4", "1.2.3.4"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::1", "2001:db8:1:2::/64"],
    ["::1", "0:0:0:0::/64"],
    ["2001:0DB8::0001", "2001:db8:0:0::/64"],
  ])("counts %s as %s", (ip, network) => {
    expect(networkOf(ip)).toBe(network);
  });
});
