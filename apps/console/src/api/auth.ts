import { failureOf, PlainError } from "./failure.ts";

/** Plain routes instead of tRPC, because they set and clear the cookie. All throw PlainError. */
async function post(path: string, body: unknown): Promise<void> {
  let response: Response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      credentials: "same-origin",
    });
  } catch {
    throw new PlainError(failureOf({}, 0));
  }
  if (response.ok) return;
  const answer: unknown = await response.json().catch(() => ({}));
  const envelope = typeof answer === "object" && answer !== null && "error" in answer ? answer.error : {};
  throw new PlainError(failureOf(envelope, response.status));
}

/** Signs this browser in. */
export function login(input: { email: string; password: string }): Promise<void> {
  return post("/auth/login", input);
}

/** Signs this browser in by a client key alone. */
export function keyLogin(input: { key: string }): Promise<void> {
  return post("/auth/key-login", input);
}

/** Signs this browser out. */
export function logout(): Promise<void> {
  return post("/auth/logout", {});
}

/** Creates the first administrator with the one-time token from the server's log, and signs in. */
export function setup(input: { token: string; email: string; name: string; password: string }): Promise<void> {
  return post("/auth/setup", input);
}
