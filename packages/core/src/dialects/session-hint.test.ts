import { expect, test } from "vitest";
import { anthropicHint, geminiHint, openaiHint } from "./session-hint.ts";

const uuid = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed";

test("Claude Code's session, in both of its forms", () => {
  expect(anthropicHint({ metadata: { user_id: `user_abc_account__session_${uuid}` } }, {})).toBe(uuid);
  expect(anthropicHint({ metadata: { user_id: JSON.stringify({ device_id: "d", session_id: uuid }) } }, {})).toBe(uuid);
});

test("a user_id that names a person is not a session", () => {
  expect(anthropicHint({ metadata: { user_id: "alice" } }, { "x-session-id": "s1" })).toBe("s1");
  expect(anthropicHint({ metadata: { user_id: "{broken" } }, {})).toBe("");
});

test("Codex, headers, and the rest", () => {
  expect(openaiHint({ prompt_cache_key: uuid }, { session_id: "other" })).toBe(uuid);
  expect(openaiHint({}, { session_id: "s2" })).toBe("s2");
  expect(geminiHint({}, { "x-session-id": "s3" })).toBe("s3");
});

test("otherwise the first user message, because later requests of the conversation repeat it", () => {
  const first = { role: "user", content: "Hello" };
  const later = [{ role: "system", content: "S" }, first, { role: "assistant", content: "Hi" }, { role: "user", content: "More" }];
  expect(openaiHint({ messages: [first] }, {})).toMatch(/^h:[\w-]{22}$/);
  expect(openaiHint({ messages: later }, {})).toBe(openaiHint({ messages: [first] }, {}));
  expect(anthropicHint({ messages: [{ role: "user", content: [{ type: "text", text: "Hello" }] }] }, {})).toBe(
    openaiHint({ messages: [first] }, {}),
  );
  expect(geminiHint({ contents: [{ parts: [{ text: "Hello" }] }] }, {})).toBe(openaiHint({ input: "Hello" }, {}));
  expect(openaiHint({ messages: [{ role: "user", content: "Other" }] }, {})).not.toBe(openaiHint({ messages: [first] }, {}));
  expect(openaiHint({ messages: [] }, {})).toBe("");
});

test("a preamble that an agent sends in every conversation does not merge them", () => {
  const context = { text: "<session_context>\nToday's date is …</session_context>" };
  const ask = (text: string) => geminiHint({ contents: [{ role: "user", parts: [context, { text }] }] }, {});
  expect(ask("Hello")).toBe(openaiHint({ input: "Hello" }, {}));
  expect(
    geminiHint(
      {
        contents: [
          { role: "user", parts: [context] },
          { role: "user", parts: [{ text: "Hello" }] },
        ],
      },
      {},
    ),
  ).toBe(ask("Hello"));
  expect(ask("Other")).not.toBe(ask("Hello"));
});

test("hints are bounded and clean", () => {
  expect(openaiHint({ prompt_cache_key: "x".repeat(10_000) }, {})).toMatch(/^h:/);
  expect(openaiHint({ prompt_cache_key: "a\u0000b\n" }, {})).toBe("ab");
});
