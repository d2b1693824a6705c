import { describe, expect, test } from "vitest";
import type { ZodType } from "zod";
import { CreateKeyInput, UpdateKeyInput } from "./key.ts";
import { ListLogsInput } from "./log.ts";
import { PriceInput } from "./price.ts";
import { CreateProviderInput, TestProviderInput, UpdateProviderInput } from "./provider.ts";
import { defaultSettings, settingSchemas, UpdateSettingsInput } from "./settings.ts";
import { CreateUserInput, LoginInput, SetupInput, UpdateUserInput } from "./user.ts";

const id = "019aa400-0000-7000-8000-000000000001";
const provider = { name: "P", dialect: "openai", baseUrl: "https://api.example.com/v1", secret: "s" };
const price = { model: "m", inputPerMTok: "3", outputPerMTok: "15" };
const user = { email: "a@example.com", name: "A" };

/** The paths of the reported problems. */
function faults(schema: ZodType, value: unknown): string[] {
  const result = schema.safeParse(value);
  return result.success ? [] : result.error.issues.map((issue) => issue.path.join("."));
}

describe("every input", () => {
  test.each<[string, ZodType, object]>([
    ["CreateKeyInput", CreateKeyInput, { userId: id, name: "k" }],
    ["UpdateKeyInput", UpdateKeyInput, { id }],
    ["ListLogsInput", ListLogsInput, {}],
    ["PriceInput", PriceInput, price],
    ["CreateProviderInput", CreateProviderInput, provider],
    ["UpdateProviderInput", UpdateProviderInput, { id }],
    ["TestProviderInput", TestProviderInput, { id }],
    ["UpdateSettingsInput", UpdateSettingsInput, {}],
    ["CreateUserInput", CreateUserInput, user],
    ["UpdateUserInput", UpdateUserInput, { id }],
    ["LoginInput", LoginInput, { email: "a@example.com", password: "p" }],
    ["SetupInput", SetupInput, { ...user, token: "t", password: "long enough" }],
  ])("%s takes its least form and refuses what it does not know", (_, schema, least) => {
    expect(faults(schema, least)).toEqual([]);
    for (const extra of ["tenantId", "role2", "constructor", "balance"]) {
      expect(schema.safeParse({ ...least, [extra]: 1 }).success, extra).toBe(false);
    }
    expect(schema.safeParse(null).success).toBe(false);
    expect(schema.safeParse([least]).success).toBe(false);
  });
});

describe("keys", () => {
  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1_000_001, "5"])("a limit of %s is refused; no limit is null", (limit) => {
    expect(faults(CreateKeyInput, { userId: id, name: "k", rpm: limit, inFlight: limit })).toEqual(["rpm", "inFlight"]);
    expect(CreateKeyInput.parse({ userId: id, name: "k" })).toMatchObject({
      rpm: null,
      inFlight: null,
      group: "default",
      expiresAtMs: null,
    });
  });
  const unseen = ["a\nb", "a\u202eb", "a\u200bb", "a\u200db", "🍎\u200d🍏", "👩‍💻\u200d", "a\u{e0061}", "🏴\u{e0061}"];
  test.each(["", " ", ...unseen, "x".repeat(81)])("the name %j is refused", (name) => {
    expect(faults(CreateKeyInput, { userId: id, name })).toContain("name");
  });
  test.each(["👨‍👩‍👧‍👦 home", "👩🏽‍💻", "🏳️‍🌈", "❤️", "🇩🇪", "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}"])(
    "the name %j is taken",
    (name) => {
      expect(faults(CreateKeyInput, { userId: id, name, tags: [name] })).toEqual([]);
    },
  );
  test("a name is trimmed", () => {
    expect(CreateKeyInput.parse({ userId: id, name: "  laptop " }).name).toBe("laptop");
  });
  test.each(["", "Default", "a b", "-a", "a".repeat(41), "vip;drop"])("the group %j is refused", (group) => {
    expect(faults(CreateKeyInput, { userId: id, name: "k", group })).toEqual(["group"]);
  });
});

describe("providers", () => {
  test("defaults: everything served, group default, any model", () => {
    expect(CreateProviderInput.parse(provider)).toMatchObject({
      serves: ["chat", "responses", "embeddings"],
      groups: ["default"],
      priority: 0,
      weight: 1,
      models: [],
      modelRedirects: {},
      costMultiplier: "1",
      enabled: true,
    });
  });
  test.each(["ftp://x", "javascript:alert(1)", "api.example.com", "", "file:///etc/passwd"])("the base URL %j is refused", (baseUrl) => {
    expect(faults(CreateProviderInput, { ...provider, baseUrl })).toEqual(["baseUrl"]);
  });
  test.each(["-1", "NaN", "1e3", "Infinity", "", "1.", "1234567", "0.1234567890123"])("the multiplier %j is refused", (costMultiplier) => {
    expect(faults(CreateProviderInput, { ...provider, costMultiplier })).toEqual(["costMultiplier"]);
  });
  test.each([
    ["weight", 0],
    ["priority", -1],
    ["groups", []],
    ["serves", ["images"]],
    ["dialect", "cohere"],
    ["models", ["has space"]],
    ["secret", ""],
  ])("%s = %j is refused", (field, value) => {
    expect(CreateProviderInput.safeParse({ ...provider, [field]: value }).success).toBe(false);
  });
  test("a redirect's names are models", () => {
    expect(CreateProviderInput.safeParse({ ...provider, modelRedirects: { a: "b c" } }).success).toBe(false);
    expect(CreateProviderInput.safeParse({ ...provider, modelRedirects: { "": "b" } }).success).toBe(false);
    expect(CreateProviderInput.parse({ ...provider, modelRedirects: { a: "b" } }).modelRedirects).toEqual([{ from: "a", to: "b" }]);
  });
});

describe("prices", () => {
  test.each(["-1", "1e-6", "NaN", "0.12345678901", ""])("%j is refused", (bad) => {
    expect(faults(PriceInput, { ...price, inputPerMTok: bad, cacheReadPerMTok: bad })).toEqual(["inputPerMTok", "cacheReadPerMTok"]);
  });
  test("absent cache prices are null: derived when priced", () => {
    expect(PriceInput.parse(price)).toMatchObject({ cacheWrite5mPerMTok: null, cacheWrite1hPerMTok: null, cacheReadPerMTok: null });
  });
});

describe("settings", () => {
  test("every one has a default that its own schema accepts", () => {
    const defaults = defaultSettings();
    expect(Object.keys(defaults).sort()).toEqual(Object.keys(settingSchemas).sort());
    expect(UpdateSettingsInput.parse(defaults)).toEqual(defaults);
    expect(defaults).toMatchObject({ "sessions.activeWindowSeconds": 300, "ledger.durability": "fsync", "breaker.failures": 5 });
  });
  test("an absent one stays absent: an update changes what it names only", () => {
    expect(UpdateSettingsInput.parse({ "breaker.failures": 0 })).toEqual({ "breaker.failures": 0 });
  });
  test.each([
    ["time.zone", "Mars/Olympus"],
    ["ledger.mode", "yolo"],
    ["routing.maxAttempts", 0],
    ["breaker.openSeconds", 1.5],
  ])("%s = %j is refused", (name, value) => {
    expect(faults(UpdateSettingsInput, { [name]: value })).toEqual([name]);
  });
  test("time zones are IANA's", () => {
    expect(faults(UpdateSettingsInput, { "time.zone": "Asia/Shanghai" })).toEqual([]);
  });
});

describe("users", () => {
  test("e-mail addresses compare in one form", () => {
    expect(CreateUserInput.parse({ ...user, email: "Admin@Example.COM" }).email).toBe("admin@example.com");
    expect(faults(CreateUserInput, { ...user, email: "no address" })).toEqual(["email"]);
  });
  test("nobody becomes admin by default", () => {
    expect(CreateUserInput.parse(user).role).toBe("user");
    expect(faults(CreateUserInput, { ...user, role: "root" })).toEqual(["role"]);
  });
  test("passwords are judged by length alone", () => {
    expect(faults(CreateUserInput, { ...user, password: "short" })).toEqual(["password"]);
    expect(faults(CreateUserInput, { ...user, password: "all lower case words" })).toEqual([]);
    expect(faults(CreateUserInput, { ...user, password: "x".repeat(257) })).toEqual(["password"]);
  });
});

describe("logs", () => {
  test("a page is bounded, and so are ids and filters", () => {
    expect(ListLogsInput.parse({})).toEqual({ filter: {}, limit: 20 });
    for (const limit of [0, 201, 1e9, 1.5]) expect(faults(ListLogsInput, { limit })).toEqual(["limit"]);
    expect(faults(ListLogsInput, { cursor: "'; DROP TABLE requests" })).toEqual(["cursor"]);
    expect(ListLogsInput.safeParse({ filter: { unknown: 1 } }).success).toBe(false);
  });
});
