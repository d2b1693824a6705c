import { describe, expect, test } from "vitest";
import { type ErrorCode, errorCatalogue, SluiceError, toSluiceError } from "./errors.ts";

describe("the catalogue", () => {
  test.each(Object.entries(errorCatalogue))(
    "%s: a sentence for people, an error status, and retryable only where a retry can help",
    (code, kind) => {
      expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
      expect(kind.status).toBeGreaterThanOrEqual(400);
      expect(kind.status).toBeLessThan(600);
      expect(kind.message).toMatch(/^[A-Z].*\.$/);
      // A 4xx that is worth retrying is a limit; a 5xx that is not worth retrying would leave the client without advice.
      if (kind.retryable) expect(kind.status === 429 || kind.status >= 500).toBe(true);
      if (kind.status >= 500) expect(kind.retryable).toBe(true);
    },
  );
});

describe("an error", () => {
  test("takes status, text and advice from its code", () => {
    const error = new SluiceError("rate_limited", { retryAfterS: 7, detail: "key 1" });
    expect(error).toMatchObject({
      name: "SluiceError",
      code: "rate_limited",
      status: 429,
      retryable: true,
      retryAfterS: 7,
      detail: "key 1",
    });
    expect(error.message).toBe(errorCatalogue.rate_limited.message);
  });

  test("may have another public text; detail never leaks into it", () => {
    const error = new SluiceError("invalid_request", { message: "The field 'model' is too long.", detail: "secret", field: "model" });
    expect(error.message).toBe("The field 'model' is too long.");
    expect(error.field).toBe("model");
    expect(String(error)).not.toContain("secret");
  });

  test.each<[string, unknown, ErrorCode, string]>([
    ["its own kind", new SluiceError("draining", { detail: "d" }), "draining", "d"],
    ["an Error", new TypeError("password=hunter2"), "internal", "TypeError: password=hunter2"],
    ["anything thrown", "oops", "internal", "oops"],
    ["nothing", undefined, "internal", "undefined"],
  ])("made of %s shows no internals", (_, thrown, code, detail) => {
    const error = toSluiceError(thrown);
    expect(error).toMatchObject({ code, detail });
    expect(error.message).toBe(errorCatalogue[code].message);
    expect(error.message).not.toContain("hunter2");
  });

  test("keeps the cause for the log", () => {
    const cause = new Error("x");
    expect(toSluiceError(cause).cause).toBe(cause);
    const known = new SluiceError("conflict");
    expect(toSluiceError(known)).toBe(known);
  });
});
