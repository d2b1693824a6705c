import { hashPassword, verifyPassword } from "@sluice/services/logins/password";
import { describe, expect, it } from "vitest";

describe("passwords", () => {
  it("are kept as argon2id and recognised", async () => {
    const hash = await hashPassword("correct horse battery");
    expect(hash).toMatch(/^\$argon2id\$/);
    expect(await verifyPassword(hash, "correct horse battery")).toBe(true);
    expect(await verifyPassword(hash, "correct horse batterx")).toBe(false);
  });

  it("of unknown users never match, not even the decoy's", async () => {
    expect(await verifyPassword(null, "anything")).toBe(false);
  });

  it("are refused rather than queued without end", async () => {
    const hash = await hashPassword("correct horse battery");
    const attempts = await Promise.allSettled(Array.from({ length: 110 }, () => verifyPassword(hash, "wrong")));
    const refused = attempts.filter((attempt) => attempt.status === "rejected");
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]).toMatchObject({ reason: { code: "overloaded" } });
    expect(await verifyPassword(hash, "correct horse battery")).toBe(true);
  });
});
