import { describe, expect, it } from "vitest";
import { hashToken, openSecret, sealSecret, secretFingerprint } from "./secrets.ts";

const secret = "a-secret-of-the-installation-0123456789";
const place = { table: "providers", column: "secret", rowId: "019aa400-0000-7000-8000-000000000001" };

describe("sealed secrets", () => {
  it("open where they were sealed, and never look alike", () => {
    const record = sealSecret(secret, "sk-upstream-ü", place);
    expect(record).toMatch(/^v1:[0-9a-f]{8}:[\w-]{16}:[\w-]{22}:[\w-]+$/);
    expect(record).not.toContain("upstream");
    expect(openSecret(secret, record, place)).toBe("sk-upstream-ü");
    expect(sealSecret(secret, "sk-upstream-ü", place)).not.toBe(record);
    expect(openSecret(secret, sealSecret(secret, "", place), place)).toBe("");
  });

  it("do not open after any character was changed", () => {
    const record = sealSecret(secret, "sk-upstream", place);
    for (let at = 0; at < record.length; at++) {
      for (const other of ["A", "b", "-", ":"]) {
        if (record[at] === other) continue;
        const changed = record.slice(0, at) + other + record.slice(at + 1);
        expect(() => openSecret(secret, changed, place), changed).toThrow(/damaged|another SLUICE_SECRET/);
      }
      expect(() => openSecret(secret, record.slice(0, at) + record.slice(at + 1), place)).toThrow();
    }
  });

  it("do not open in another row, column or table", () => {
    const record = sealSecret(secret, "sk-upstream", place);
    for (const other of [{ rowId: "019aa400-0000-7000-8000-000000000002" }, { column: "name" }, { table: "keys" }]) {
      expect(() => openSecret(secret, record, { ...place, ...other })).toThrow(/moved there from elsewhere/);
    }
    expect(() => sealSecret(secret, "x", { ...place, column: "a|b" })).toThrow();
  });

  it("name the reason under another SLUICE_SECRET, without the content", () => {
    const record = sealSecret(secret, "sk-upstream", place);
    expect(() => openSecret(`${secret}!`, record, place)).toThrow(/encrypted with another SLUICE_SECRET/);
  });
});

describe("fingerprints and hashes", () => {
  it("tell secrets apart without containing them", () => {
    expect(secretFingerprint(secret)).toMatch(/^[0-9a-f]{32}$/);
    expect(secretFingerprint(secret)).not.toBe(secretFingerprint(`${secret}!`));
  });

  it("hash a token as SHA-256 in hex", () => {
    expect(hashToken("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });
});
