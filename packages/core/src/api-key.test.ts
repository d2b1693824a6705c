import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { apiKeyPreview, hasValidChecksum, makeApiKey } from "./api-key.ts";

describe("API keys", () => {
  it("carry a CRC-32 that fits, and differ", () => {
    const keys = Array.from({ length: 200 }, () => makeApiKey());
    expect(new Set(keys).size).toBe(200);
    for (const key of keys) {
      expect(key).toMatch(/^sk-sluice-[0-9A-Za-z]{33}$/);
      expect(hasValidChecksum(key)).toBe(true);
      let sum = 0;
      const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
      for (const letter of key.slice(-6)) sum = sum * 62 + alphabet.indexOf(letter);
      expect(sum).toBe(crc32(key.slice(0, -6)));
    }
  });

  it("fail the check when one character changes, is missing, or two are swapped", () => {
    const key = makeApiKey();
    for (let at = 0; at < key.length; at++) {
      const other = key[at] === "x" ? "y" : "x";
      expect(hasValidChecksum(key.slice(0, at) + other + key.slice(at + 1))).toBe(false);
      expect(hasValidChecksum(key.slice(0, at) + key.slice(at + 1))).toBe(false);
    }
    expect(hasValidChecksum("")).toBe(false);
  });

  it("are shown by their ends only", () => {
    const key = makeApiKey();
    expect(apiKeyPreview(key)).toBe(`${key.slice(0, 14)}…${key.slice(-4)}`);
    expect(apiKeyPreview("a-fixed-key-of-a-configuration")).toBe("a-fi…tion");
    expect(apiKeyPreview("short-key")).toBe("sh…");
    expect(apiKeyPreview("abc")).toBe("…");
  });
});
