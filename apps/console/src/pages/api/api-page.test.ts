import { openApiDocument } from "@sluice/api/rest/openapi";
import { operations as declared } from "@sluice/api/rest/operations";
import { expect, it } from "vitest";
import { apiZhCN } from "../../text/api-zh-CN.ts";
import { exampleCall } from "./example-call.ts";
import { type OpenApiDocument, operationsOf } from "./openapi-document.ts";
import { boundsText, schemaText } from "./schema-text.ts";

const base = "https://llm.example.test";
const document = openApiDocument({ operations: declared, version: "1", publicUrl: base, cookieName: "sid" }) as OpenApiDocument;
const operations = operationsOf(document);
const { schemas } = document.components;
const operation = (id: string) => operations.find((one) => one.id === id) ?? expect.fail(id);

it("shows every operation with who may call it", () => {
  const accessOf = (list: readonly { id: string; access: string }[]) => Object.fromEntries(list.map(({ id, access }) => [id, access]));
  expect(accessOf(operations)).toEqual(accessOf(declared));
});

it("has a Chinese text for each operation and tag, and none for anything else", () => {
  expect(Object.keys(apiZhCN.summaries).sort()).toEqual(operations.map(({ id }) => id).sort());
  expect(Object.keys(apiZhCN.tags).sort()).toEqual([...new Set(operations.map(({ tag }) => tag))].sort());
});

it("calls with what each operation needs, filled in", () => {
  expect(exampleCall(operation("compare"), base, "unix")).toBe(
    `curl "${base}/api/v1/compare?by=key&ids=ID_1&ids=ID_2" \\\n  -H "authorization: Bearer YOUR_SLUICE_KEY"`,
  );
  expect(exampleCall(operation("updateAccount"), base, "unix")).toBe(
    `curl -X PATCH ${base}/api/v1/credits/accounts/USER_ID \\\n  -b cookies.txt \\\n  -H "origin: ${base}" \\\n  -H "content-type: application/json" \\\n  -d '{"billing":"postpaid"}'`,
  );
  expect(exampleCall(operation("topUpCredit"), base, "cmd")).toMatch(/ \^\n {2}-d "{\\"userId\\":\\"USER_ID\\",.*\\"12.50\\".*}"$/);
  for (const one of operations) {
    const call = exampleCall(one, base, "unix");
    for (const { name } of one.parameters.filter(({ in: place, required }) => required && place !== "path")) expect(call).toContain(name);
    expect(call).not.toMatch(/undefined|\{\w+\}/);
  }
});

it("writes answers as types, with what fields mean beside them", () => {
  const { schema = {} } = operation("listLogs").answer;
  const text = schemaText(schema, schemas);
  expect(text).toMatch(/^\{\n {2}items: \{\n {4}id: string; {2}\/\/ A UUID/);
  expect(text).toContain("costNanoUsd: string | null;  // Signed decimal integer in nano-USD");
  expect(text).toContain('state: "in_flight" | "lost" | "done" | "error" | "aborted" | "refused";');
  expect(text).toContain("nextCursor: string | null;  // `cursor` of the next page; null on the last one.");
  for (const { answer } of operations) if (answer.schema) expect(schemaText(answer.schema, schemas)).not.toMatch(/undefined|unknown|\$ref/);
  expect(operation("exportLogs").answer).toEqual({ status: "200", type: "text/csv, application/json" });
  expect(operation("deleteUser").answer).toEqual({ status: "204" });
});

it("says what a value must be", () => {
  const limit = operation("listLogs").parameters.find(({ name }) => name === "limit")?.schema ?? {};
  expect(boundsText(limit, { characters: "characters", byDefault: "default" })).toBe("1 … 200, default 20");
});
