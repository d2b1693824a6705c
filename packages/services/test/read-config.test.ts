import { ConfigFileError } from "@sluice/services/config/config-file-error";
import { readConfig } from "@sluice/services/config/read-config";
import { describe, expect, it } from "vitest";

function problemsOf(text: string): readonly string[] {
  try {
    readConfig(text);
  } catch (error) {
    if (error instanceof ConfigFileError) return error.problems;
    throw error;
  }
  return [];
}

const provider = `
  - name: main
    dialect: anthropic
    baseUrl: https://api.anthropic.com
    secret: { env: ANTHROPIC_KEY }`;

describe("the configuration file", () => {
  it("reads every kind of entry", () => {
    const { config } = readConfig(`providers:${provider}
    groups: [default, vip]
    modelRedirects: { claude-a: claude-b }
    schedule: { zone: Asia/Shanghai, windows: [{ from: "22:00", to: "06:00" }] }
    costMultiplier: 0.8
users:
  - email: Ada@Example.com
    keys:
      - { name: laptop, key: sk-fixed-for-tests, rpm: 60, inFlight: null }
prices:
  - { model: claude-a, inputPerMTok: 3, outputPerMTok: "15.5" }
settings:
  sessions.activeWindowSeconds: 60
`);
    expect(config.providers[0]).toMatchObject({ name: "main", costMultiplier: "0.8", secret: { env: "ANTHROPIC_KEY" } });
    expect(config.users[0]).toMatchObject({ email: "ada@example.com", keys: [{ name: "laptop", rpm: 60, inFlight: null }] });
    expect(config.prices[0]).toMatchObject({ inputPerMTok: "3", outputPerMTok: "15.5", cacheReadPerMTok: null });
    expect(config.settings).toEqual({ "sessions.activeWindowSeconds": 60 });
  });

  it("accepts an empty file", () => {
    expect(readConfig("").config).toEqual({
      providers: [],
      groups: [],
      users: [],
      prices: [],
      alerts: { channels: [], rules: [] },
      settings: {},
    });
  });

  it("names line and field of an unknown field", () => {
    expect(problemsOf(`providers:${provider}\n    wieght: 3\n`)).toEqual(["line 6: providers[0].wieght: unknown field"]);
  });

  it("names line and field of a wrong value, without repeating it", () => {
    const problems = problemsOf(`providers:${provider.replace("anthropic\n", "antropic-sk-oops\n")}\n`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^line 3: providers\[0\]\.dialect: /);
    expect(problems[0]).not.toContain("oops");
  });

  it("names the entry in which a field is missing", () => {
    expect(problemsOf("users:\n  - name: Ada\n")[0]).toMatch(/^line 2: users\[0\]\.email: /);
  });

  it("reports every problem at once", () => {
    expect(problemsOf(`providers:${provider}\n    priority: high\nsettings:\n  no.such: 1\nextra: 1\n`)).toHaveLength(3);
  });

  it("refuses a name that appears twice", () => {
    expect(problemsOf(`providers:${provider}${provider}\n`)).toEqual(["line 6: providers[1].name: appears twice"]);
    const rule = "    - { name: a, kind: cost }\n";
    expect(problemsOf(`alerts:\n  rules:\n${rule}${rule}`)).toEqual(["line 4: alerts.rules[1].name: appears twice"]);
  });

  it("names the line of a syntax error", () => {
    expect(problemsOf("providers:\n  - name: a\n   dialect: b\n")[0]).toMatch(/^line [23]: /);
  });

  it("refuses a key that stands twice", () => {
    expect(problemsOf("settings: {}\nsettings: {}\n")[0]).toMatch(/^line 2: /);
  });

  it("does not expand aliases", () => {
    expect(() => readConfig("providers: &a []\nusers: *a\n")).toThrow();
  });
});
