import { describe, expect, it } from "vitest";
import { inRanges, isAddressRange } from "./address-ranges.ts";
import { addressRefusal, clientRefusal, modelRefusal } from "./policies.ts";

describe("address ranges", () => {
  it.each([
    ["10.0.0.0/8", "10.255.0.1", true],
    ["10.0.0.0/8", "11.0.0.1", false],
    ["10.1.2.3", "10.1.2.3", true],
    ["10.1.2.3", "10.1.2.4", false],
    ["192.168.1.130/25", "192.168.1.200", true],
    ["192.168.1.130/25", "192.168.1.20", false],
    ["0.0.0.0/0", "8.8.8.8", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["2001:db8::/32", "2001:db8:ffff::1", true],
    ["2001:db8::/32", "2001:db9::1", false],
    ["::/0", "2001:db8::1", true],
    ["::1", "0:0:0:0:0:0:0:1", true],
    ["fe80::/10", "fe80::1%eth0", true],
    ["::ffff:10.0.0.0/104", "10.9.9.9", true],
    ["10.0.0.0/8", "::ffff:10.0.0.1", true],
    ["10.0.0.0/8", "", false],
    ["10.0.0.0/8", "unknown", false],
  ])("%s and %s: %s", (range, address, expected) => {
    expect(isAddressRange(range)).toBe(true);
    expect(inRanges([range])(address)).toBe(expected);
  });

  it.each([
    "",
    "10",
    "10.0.0",
    "10.0.0.256",
    "010.0.0.1",
    "0x7f.1",
    "10.0.0.0/33",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "10.0.0.0/-1",
    "::/129",
    "1::2::3",
    ":",
    "1:2:3:4:5:6:7:8:9",
    "g::",
    "1.2.3.4::",
    "localhost",
  ])("%j is none", (text) => expect(isAddressRange(text)).toBe(false));
});

const none = undefined;

describe("clients", () => {
  const allowed = (pattern: string, agent: string): boolean =>
    clientRefusal({ policies: { allowedClients: [pattern] } }, none, agent) === null;

  it.each([
    ["claude-cli/*", "claude-cli/2.1.0 (external, cli)", true],
    ["Claude-CLI/*", "claude-cli/2.1.0", true],
    ["claude-cli/*", "evil claude-cli/2.1.0", false],
    ["*codex*", "x codex_cli_rs/0.1", true],
    ["*", "", true],
    ["?*", "", false],
    ["a*b*c", "a-b-b-c", true],
    ["a*b*c", "a-c-b", false],
    ["ab*ba", "aba", false],
    ["curl", "curl/8", false],
  ])("%s takes %j: %s", (pattern, agent, expected) => expect(allowed(pattern, agent)).toBe(expected));

  it("a blocked client stays out even if it is allowed too, and the key's policy comes before its owner's", () => {
    const user = { policies: { blockedClients: ["curl/*"] } };
    expect(clientRefusal({ policies: { allowedClients: ["*"] } }, user, "curl/8.1")).toMatchObject({
      owner: "user",
      code: "client_not_allowed",
    });
    expect(clientRefusal({ policies: { allowedClients: ["codex*"] } }, user, "curl/8.1")).toMatchObject({ owner: "key" });
    expect(clientRefusal({}, user, "codex/1")).toBeNull();
  });

  it("a pattern designed to be slow costs no more than any other: 5,000 of them over a long agent", () => {
    const cunning = { policies: { allowedClients: Array.from({ length: 5_000 }, () => `${"*a".repeat(99)}*c`) } };
    expect(clientRefusal(cunning, none, "a".repeat(100_000))).not.toBeNull();
  });
});

describe("models and addresses", () => {
  it("must pass both the key's and its owner's", () => {
    const key = { policies: { models: ["claude-*", "gpt-5"] } };
    const user = { policies: { models: ["*-5", "claude-haiku"], addresses: ["10.0.0.0/8"] } };
    expect(modelRefusal(key, user, "gpt-5")).toBeNull();
    expect(modelRefusal(key, user, "claude-haiku")).toBeNull();
    expect(modelRefusal(key, user, "claude-opus")).toMatchObject({ owner: "user" });
    expect(modelRefusal(key, user, "gemini")).toMatchObject({ owner: "key", message: expect.stringContaining("allowed models") });
    expect(addressRefusal(key, user, "10.1.1.1")).toBeNull();
    expect(addressRefusal(key, user, "192.0.2.1")).toMatchObject({ owner: "user", code: "address_not_allowed" });
    expect(addressRefusal({ policies: { addresses: [] } }, undefined, "192.0.2.1")).toBeNull();
  });
});
