import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { ConfigFile } from "./config-file.ts";
import { readConfig } from "./read-config.ts";

const read = (path: string): string => readFileSync(new URL(`../../../../${path}`, import.meta.url), "utf8");

/** Names of all fields below a JSON Schema, at any depth. */
function fieldsOf(schema: unknown): string[] {
  if (Array.isArray(schema)) return schema.flatMap(fieldsOf);
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([word, below]) => [
    ...(word === "properties" ? Object.keys(below as object) : []),
    ...fieldsOf(word === "properties" ? Object.values(below as object) : below),
  ]);
}

describe("the documented configuration file", () => {
  it.each(["README.md", "README.zh-CN.md", "docs/alerts.md"])("in %s is accepted", (path) => {
    const blocks = [...read(path).matchAll(/^```yaml\n([\s\S]+?)^```/gm)].map(([, yaml = ""]) => yaml);
    expect(blocks).toHaveLength(1);
    for (const yaml of blocks) readConfig(yaml);
  });

  it("in docs/config.example.yaml is accepted, and names every field", () => {
    const example = read("docs/config.example.yaml");
    readConfig(example);
    const { settings: _settings, alerts: _alerts, ...documentedHere } = ConfigFile.shape;
    const fields = new Set(fieldsOf(z.toJSONSchema(z.object(documentedHere), { io: "input", unrepresentable: "any" })));
    expect(fields.size).toBeGreaterThan(40);
    expect([...fields].filter((name) => !new RegExp(`\\b${name}\\b`).test(example))).toEqual([]);
    const alerts = read("docs/alerts.md");
    const alertFields = new Set(fieldsOf(z.toJSONSchema(ConfigFile.shape.alerts, { io: "input", unrepresentable: "any" })));
    expect([...alertFields].filter((name) => !new RegExp(`\\b${name}\\b`).test(alerts))).toEqual([]);
  });
});
