import { expect, it } from "vitest";
import { clientBaseUrl, clients, snippetsOf, systems } from "./snippet-text.ts";

const base = "https://llm.example.test";
const secret = "sk-sluice-test";
const code = (snippet: { blocks: { code: string }[] }): string => snippet.blocks.map((block) => block.code).join("\n");

it("fills address and key for every client on every system", () => {
  for (const system of systems) {
    const all = snippetsOf(`${base}/`, secret, { system });
    for (const client of clients) {
      expect(code(all[client]), `${client} ${system}`).toContain(secret);
      expect(code(all[client]), `${client} ${system}`).toContain(base);
      expect(code(all[client])).not.toContain(`${base}//`);
    }
  }
});

it("sets variables as each shell does", () => {
  expect(code(snippetsOf(base, secret).claude)).toContain(`export ANTHROPIC_BASE_URL="${base}"`);
  expect(code(snippetsOf(base, secret, { system: "powershell" }).claude)).toContain(`$env:ANTHROPIC_AUTH_TOKEN = "${secret}"`);
  expect(code(snippetsOf(base, secret, { system: "cmd" }).claude)).toContain(`set "ANTHROPIC_BASE_URL=${base}"`);
  expect(code(snippetsOf(base, secret, { system: "cmd" }).curl)).not.toContain("'");
  expect(code(snippetsOf(base, secret, { system: "powershell" }).curl)).toContain("curl.exe");
});

it("tells Gemini CLI to authenticate with the key", () => {
  const settings = snippetsOf(base, secret).gemini.blocks.find(({ title }) => title === "~/.gemini/settings.json");
  expect(JSON.parse(settings?.code ?? "")).toEqual({ security: { auth: { selectedType: "gemini-api-key" } } });
});

it("speaks the model's own dialect with curl", () => {
  expect(code(snippetsOf(base, secret, { model: "gpt-5-mini" }).curl)).toContain("/v1/chat/completions");
  expect(code(snippetsOf(base, secret, { model: "gemini-2.5-flash" }).curl)).toContain(":generateContent");
});

it("makes the CC Switch link with what it imports", () => {
  const { claude, codex, gemini, curl } = snippetsOf(base, "sk +&=");
  for (const [app, { importUrl }] of Object.entries({ claude, codex, gemini })) {
    const url = new URL(importUrl ?? "");
    expect(`${url.protocol}//${url.host}${url.pathname}`).toBe("ccswitch://v1/import");
    expect(Object.fromEntries(url.searchParams)).toEqual({
      resource: "provider",
      app,
      name: "Sluice",
      homepage: base,
      endpoint: app === "codex" ? `${base}/v1` : base,
      apiKey: "sk +&=",
    });
  }
  expect(curl.importUrl).toBeUndefined();
});

it("prefers the page's own address to one that only the server's machine knows", () => {
  const page = { origin: "http://box.lan:4000", hostname: "box.lan" };
  expect(clientBaseUrl("http://127.0.0.1:4000", page)).toBe(page.origin);
  expect(clientBaseUrl(base, page)).toBe(base);
  expect(clientBaseUrl("http://127.0.0.1:4000", { origin: "http://localhost:4000", hostname: "localhost" })).toBe("http://127.0.0.1:4000");
});
