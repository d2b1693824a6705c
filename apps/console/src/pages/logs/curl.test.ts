import { expect, it } from "vitest";
import { curlOf } from "./curl.ts";

const asked = { dialect: "anthropic", endpoint: "messages", model: "claude-sonnet-4-5", stream: true } as const;

it("asks the same address for the same model, with the key left to the shell", () => {
  const text = curlOf(asked, "/v1/messages?beta=true", "https://llm.example/");
  expect(text).toContain("curl 'https://llm.example/v1/messages?beta=true'");
  expect(text).toContain('-H "x-api-key: $KEY"');
  expect(text).toContain('"model":"claude-sonnet-4-5"');
  expect(text).toContain('"stream":true');
});

it("knows where each dialect is served when the path is not known", () => {
  const url = (more: object) => curlOf({ ...asked, ...more }, "", "http://h").split("'")[1];
  expect(url({})).toBe("http://h/v1/messages");
  expect(url({ dialect: "openai", endpoint: "responses" })).toBe("http://h/v1/responses");
  expect(url({ dialect: "openai", endpoint: "chat" })).toBe("http://h/v1/chat/completions");
  expect(url({ dialect: "gemini", endpoint: "generateContent", model: "g/1" })).toBe(
    "http://h/v1beta/models/g%2F1:streamGenerateContent?alt=sse",
  );
});

it("cannot be broken out of by a model's name", () => {
  expect(curlOf({ ...asked, model: "x'; rm -rf / #" }, "", "http://h")).toContain(`x'\\''; rm -rf / #`);
});
