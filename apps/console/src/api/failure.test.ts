import { TRPCClientError } from "@trpc/client";
import { expect, it } from "vitest";
import { failureOf, PlainError, readFailure } from "./failure.ts";

it("reads the code, the request and the field of a refusal", () => {
  const error = new TRPCClientError("A key with this name already exists.", {
    result: {
      error: {
        message: "A key with this name already exists.",
        code: -32009,
        data: { code: "conflict", httpStatus: 409, requestId: "r-1", retryable: false, field: "name", retryAfterS: null },
      },
    },
  });
  expect(readFailure(error)).toEqual({
    code: "conflict",
    status: 409,
    message: "A key with this name already exists.",
    requestId: "r-1",
    retryable: false,
    field: "name",
  });
});

it("reports a missing answer as a network failure that is worth retrying", () => {
  expect(readFailure(new TypeError("Failed to fetch"))).toMatchObject({ code: "network", status: 0, retryable: true });
});

it("falls back to the status when the code is unknown or missing", () => {
  expect(failureOf({ code: "from_the_future" }, 403).code).toBe("forbidden");
  expect(failureOf("<html>", 502)).toMatchObject({ code: "unavailable", retryable: true });
  expect(failureOf({}, 500).code).toBe("internal");
});

it("passes a plain route's refusal on", () => {
  const refusal = new PlainError(failureOf({ code: "bad_credentials", message: "no", requestId: "r", retryable: false }, 401));
  expect(readFailure(refusal)).toMatchObject({ code: "bad_credentials", requestId: "r" });
});
