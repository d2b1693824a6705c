import { describe, expect, test } from "vitest";
import { convert } from "../convert.ts";
import type { Wire } from "../intermediate.ts";
import { base, convertRequest, messages, sent } from "./pairs.ts";

describe("what the other side cannot express is refused, and the field is named", () => {
  const image = (source: object) => [{ role: "user", content: [{ type: "image", source }] }];
  test.each<[Wire, Wire, object, string]>([
    ["anthropic", "responses", { stop_sequences: ["END"] }, "stop_sequences"],
    ["chat", "responses", { stop: "END" }, "stop"],
    ["anthropic", "chat", { mcp_servers: [{ url: "x" }] }, "mcp_servers"],
    ["anthropic", "chat", { container: "c" }, "container"],
    ["anthropic", "chat", { tools: [{ type: "web_search_20250305", name: "web_search" }] }, "tools.0.type"],
    ["anthropic", "chat", { messages: image({ type: "file", file_id: "f" }) }, "messages.0.content.0.source.type"],
    ["anthropic", "chat", { messages: [{ role: "user", content: [{ type: "search_result" }] }] }, "messages.0.content.0.type"],
    ["chat", "anthropic", { n: 2 }, "n"],
    ["chat", "anthropic", { logprobs: true }, "logprobs"],
    ["chat", "anthropic", { logit_bias: { "1": 2 } }, "logit_bias"],
    ["chat", "anthropic", { modalities: ["text", "audio"], audio: { voice: "a" } }, "audio"],
    ["chat", "anthropic", { functions: [{ name: "f" }] }, "functions"],
    ["chat", "responses", { web_search_options: { a: 1 } }, "web_search_options"],
    ["chat", "anthropic", { messages: [{ role: "user", content: [{ type: "input_audio" }] }] }, "messages.0.content.0.type"],
    ["responses", "chat", { previous_response_id: "resp_1" }, "previous_response_id"],
    ["responses", "anthropic", { conversation: "conv_1" }, "conversation"],
    ["responses", "anthropic", { background: true }, "background"],
    ["responses", "chat", { prompt: { id: "p" } }, "prompt"],
    ["responses", "chat", { tools: [{ type: "web_search" }] }, "tools.0.type"],
    ["responses", "chat", { input: [{ type: "item_reference", id: "x" }] }, "input.0.type"],
    [
      "responses",
      "anthropic",
      { input: [{ role: "user", content: [{ type: "input_image", file_id: "f" }] }] },
      "input.0.content.0.file_id",
    ],
  ])("%s → %s %j", (from, to, more, field) => {
    expect(() => convertRequest([from, to], { ...base[from], ...more })).toThrow(
      expect.objectContaining({ code: "not_convertible", status: 400, field, message: expect.stringContaining(`'${field}'`) }),
    );
  });

  test("a malformed value is the client's mistake, reported with its field", () => {
    expect(() => convertRequest(["chat", "anthropic"], { ...base.chat, temperature: "warm" })).toThrow(
      expect.objectContaining({ code: "invalid_request", field: "temperature" }),
    );
  });

  test("options that are switched off do not count as requested", () => {
    const off = { ...base.chat, n: 1, logprobs: false, logit_bias: {}, functions: [], audio: null, modalities: ["text"] };
    expect(convertRequest(["chat", "anthropic"], off).dropped).toEqual([]);
  });
});

describe("options that are left out are reported", () => {
  test.each<[Wire, Wire, object, string[]]>([
    ["anthropic", "chat", { top_k: 5, service_tier: "auto", new_option: 1 }, ["new_option", "top_k", "service_tier"]],
    ["chat", "anthropic", { seed: 1, presence_penalty: 1, temperature: 1.2 }, ["seed", "presence_penalty", "temperature"]],
    ["chat", "anthropic", { stop: ["\n", "END"] }, ["stop"]],
    ["responses", "chat", { truncation: "auto", store: true, include: ["reasoning.encrypted_content"] }, ["truncation"]],
    ["responses", "chat", { tools: [{ type: "web_search" }, { type: "function", name: "f", parameters: {} }] }, ["tools.0.type"]],
  ])("%s → %s %j", (from, to, more, dropped) => {
    expect(convertRequest([from, to], { ...base[from], ...more }).dropped).toEqual(dropped);
  });
});

test("what only Anthropic's documents have is reported, wherever they are", () => {
  const document = (source: object, more: object = {}) => ({ type: "document", title: "Report", source, ...more });
  const bytes = { type: "base64", media_type: "application/pdf", data: "AA==" };
  const plain = { type: "text", media_type: "text/plain", data: "a" };
  const cited = { context: "Of May.", citations: { enabled: true } };
  const turns = [
    { role: "user", content: [document(bytes), document(bytes, cited), document(plain, cited)] },
    {
      role: "assistant",
      content: [
        { type: "text", text: "a", citations: [{ type: "char_location" }] },
        { type: "text", text: "b", citations: null },
      ],
    },
    { role: "assistant", content: [{ type: "tool_use", id: "t", name: "f", input: {} }] },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: [document(plain, { citations: { enabled: false } })] }] },
  ];
  expect(convertRequest(["anthropic", "responses"], { ...base.anthropic, messages: turns }).dropped).toEqual([
    "messages.0.content.1.context",
    "messages.0.content.1.citations",
    "messages.0.content.2.title",
    "messages.0.content.2.context",
    "messages.0.content.2.citations",
    "messages.1.content.0.citations",
    "messages.3.content.0.content.0.title",
  ]);
});

describe("defects of other gateways", () => {
  test("consecutive tool results are one turn, first in it; empty arguments are an empty object", () => {
    const call = (id: string) => ({ id, type: "function", function: { name: "f", arguments: "" } });
    const { messages: turns } = sent(["chat", "anthropic"], {
      model: "m",
      messages: [
        ...messages,
        { role: "assistant", content: null, tool_calls: [call("a"), call("b")] },
        { role: "tool", tool_call_id: "a", content: "1" },
        { role: "tool", tool_call_id: "b", content: "2" },
        { role: "user", content: "and?" },
      ],
    });
    expect(turns.map(({ role }: { role: string }) => role)).toEqual(["user", "assistant", "user"]);
    expect(turns[1].content).toEqual([
      { type: "tool_use", id: "a", name: "f", input: {} },
      { type: "tool_use", id: "b", name: "f", input: {} },
    ]);
    expect(turns[2].content.map(({ type }: { type: string }) => type)).toEqual(["tool_result", "tool_result", "text"]);
  });

  test("white space without any other text, which Anthropic refuses, is left out; between texts it stays", () => {
    const call = { id: "a", type: "function", function: { name: "f", arguments: "{}" } };
    const texts = ["a", "\n\n", "b"].map((text) => ({ type: "text", text }));
    const body = sent(["chat", "anthropic"], {
      model: "m",
      stop: ["\n", "END"],
      messages: [
        { role: "system", content: " " },
        { role: "user", content: texts },
        { role: "assistant", content: "\n", tool_calls: [call] },
        { role: "tool", tool_call_id: "a", content: "1" },
        { role: "assistant", content: " " },
        { role: "user", content: "and?" },
      ],
    });
    expect(body).not.toHaveProperty("system");
    expect(body.stop_sequences).toEqual(["END"]);
    expect(body.messages.map(({ content }: { content: { type: string }[] }) => content.map(({ type }) => type))).toEqual([
      ["text", "text", "text"],
      ["tool_use"],
      ["tool_result", "text"],
    ]);
  });

  test("a picture gets the media type that Anthropic knows", () => {
    const image = (type: string) => ({ type: "image_url", image_url: { url: `data:${type};base64,AAAA` } });
    const content = [image("image/jpg"), image("IMAGE/PNG")];
    const { messages: turns } = sent(["chat", "anthropic"], { model: "m", messages: [{ role: "user", content }] });
    expect(turns[0].content.map(({ source }: { source: object }) => source)).toEqual([
      { type: "base64", media_type: "image/jpeg", data: "AAAA" },
      { type: "base64", media_type: "image/png", data: "AAAA" },
    ]);
  });

  test("patterns that OpenAI cannot read, as in Claude Code's tools, are left out; properties with that name stay", () => {
    const odd = '^(?!__.*__$)[^\\p{Cc}\\p{Cf}"\\\\./[\\]]{1,200}$';
    const schemaWith = (pattern: object, byName: object) => ({
      type: "object",
      properties: { field: { type: "string", ...pattern }, pattern: { type: "string", pattern: "^(?<=a)b+$", default: { pattern: odd } } },
      patternProperties: { "^x": { items: [{ ...pattern, maximum: "MAX" }] }, ...byName },
    });
    const tool = { name: "Artifact", input_schema: schemaWith({ pattern: odd }, { "^\\p{L}$": {} }) };
    const body = JSON.stringify({ ...base.anthropic, tools: [tool] }).replace('"MAX"', "1.00000000000000000001");
    for (const wire of ["chat", "responses"] as const) {
      const text = convertRequestBytes(["anthropic", wire], body);
      expect(text).toContain(JSON.stringify(schemaWith({}, {})).replace('"MAX"', "1.00000000000000000001"));
    }
  });

  test("a tool without arguments, whose schema has no properties at all, has none at OpenAI, which wants them said", () => {
    const request = { ...base.anthropic, tools: [{ name: "f", input_schema: { type: "object" } }] };
    const parameters = { type: "object", properties: {} };
    expect(sent(["anthropic", "chat"], request).tools).toMatchObject([{ function: { parameters } }]);
    expect(sent(["anthropic", "responses"], request).tools).toMatchObject([{ parameters }]);
  });

  test("pictures of parallel calls' results follow behind all results: nothing stands between the tool messages", () => {
    const call = (call_id: string) => ({ type: "function_call", call_id, name: "f", arguments: "{}" });
    const result = (call_id: string) => ({
      ...{ type: "function_call_output", call_id },
      output: [
        { type: "input_text", text: call_id },
        { type: "input_image", image_url: "https://example.com/a.png" },
      ],
    });
    const input = [...messages, call("a"), call("b"), result("a"), result("b"), { role: "user", content: "and?" }];
    const { messages: turns } = sent(["responses", "chat"], { model: "m", input });
    expect(turns.map(({ role, tool_call_id }: Record<string, string>) => tool_call_id ?? role)).toEqual([
      "user",
      "assistant",
      "a",
      "b",
      "user",
      "user",
    ]);
    expect(turns[4].content.map(({ type }: { type: string }) => type)).toEqual(["image_url", "image_url"]);
  });

  test("what was said between a call and its result follows behind the result in a chat", () => {
    const input = [
      ...messages,
      { type: "function_call", call_id: "a", name: "f", arguments: "{}" },
      { role: "developer", content: "note" },
      { role: "user", content: "hurry" },
      { type: "function_call_output", call_id: "a", output: "1" },
    ];
    const { messages: turns } = sent(["responses", "chat"], { model: "m", input });
    expect(turns.map(({ role }: { role: string }) => role)).toEqual(["user", "assistant", "tool", "system", "user"]);
  });

  test("a call whose arguments the model did not finish does not end the conversation", () => {
    for (const args of ['{"city":"Par', "[1]"]) {
      const call = { id: "a", type: "function", function: { name: "f", arguments: args } };
      const turns = [...messages, { role: "assistant", tool_calls: [call] }, { role: "tool", tool_call_id: "a", content: "Not JSON." }];
      expect(sent(["chat", "anthropic"], { model: "m", messages: turns }).messages[1].content).toEqual([
        { type: "tool_use", id: "a", name: "f", input: { arguments: args } },
      ]);
    }
  });

  test("an id that Anthropic would refuse is the same one in the call and in its result", () => {
    const id = "functions.Bash:0";
    const { messages: turns } = sent(["chat", "anthropic"], {
      model: "m",
      messages: [
        ...messages,
        { role: "assistant", tool_calls: [{ id, type: "function", function: { name: "f", arguments: "{}" } }] },
        { role: "tool", tool_call_id: id, content: "1" },
      ],
    });
    expect(turns[1].content[0].id).toMatch(/^[\w-]+$/);
    expect(turns[2].content[0].tool_use_id).toBe(turns[1].content[0].id);
  });

  test("numbers that a double cannot hold survive", () => {
    const body =
      '{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{"id":12345678901234567890,"x":1.0}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"1"}]}]}';
    const text = convertRequestBytes(["anthropic", "chat"], body);
    expect(text).toContain("12345678901234567890");
  });

  test("a conversation that begins with the assistant gets a first user turn", () => {
    const { messages: turns } = sent(["chat", "anthropic"], {
      model: "m",
      messages: [{ role: "assistant", content: "Hello" }, ...messages],
    });
    expect(turns[0].role).toBe("user");
  });

  test("Anthropic is always sent a limit, by the model's generation when the client sets none", () => {
    expect(sent(["chat", "anthropic"], base.chat, "claude-3-haiku-20240307").max_tokens).toBe(4096);
    expect(sent(["chat", "anthropic"], base.chat, "claude-3-5-sonnet-latest").max_tokens).toBe(8192);
    expect(sent(["chat", "anthropic"], base.chat, "claude-sonnet-4-5").max_tokens).toBe(32_000);
  });

  test("only OpenAI's newer models are sent max_completion_tokens", () => {
    expect(sent(["anthropic", "chat"], base.anthropic, "gpt-5")).toHaveProperty("max_completion_tokens", 10);
    expect(sent(["anthropic", "chat"], base.anthropic, "deepseek-chat")).toHaveProperty("max_tokens", 10);
  });

  test("allowed tools are the only ones that are offered", () => {
    const tool = (name: string) => ({ type: "function", function: { name, parameters: { type: "object" } } });
    const choice = { type: "allowed_tools", allowed_tools: { mode: "required", tools: [{ type: "function", function: { name: "b" } }] } };
    const body = sent(["chat", "anthropic"], { ...base.chat, tools: [tool("a"), tool("b")], tool_choice: choice });
    expect(body).toMatchObject({ tools: [{ name: "b" }], tool_choice: { type: "any" } });
    expect(body.tools).toHaveLength(1);
  });
});

describe("requests that OpenAI or Anthropic would refuse as a whole", () => {
  const schema = (required: string[]) => ({
    type: "object",
    properties: { city: { type: "string" }, unit: { type: "string" } },
    required,
    additionalProperties: false,
  });

  test("a strict tool with an optional property is strict only at Anthropic", () => {
    const tool = (name: string, required: string[]) => ({ name, input_schema: schema(required), strict: true });
    const request = { ...base.anthropic, tools: [tool("loose", ["city"]), tool("closed", ["city", "unit"])] };
    const chat = sent(["anthropic", "chat"], request).tools as { function: { strict?: boolean } }[];
    expect(chat.map((one) => one.function.strict)).toEqual([undefined, true]);
    const responses = sent(["anthropic", "responses"], request).tools as { strict: boolean }[];
    expect(responses.map(({ strict }) => strict)).toEqual([false, true]);
  });

  test("OpenAI's reasoning models are sent no temperature and no top_p, and no stop sequences", () => {
    const sampled = { temperature: 0, top_p: 0.9 };
    for (const wire of ["chat", "responses"] as const) {
      const asked = { ...base.anthropic, ...sampled };
      for (const model of ["gpt-5-mini", "openai/o3", "gpt-5.1-codex"]) {
        const { body, dropped } = convertRequest(["anthropic", wire], asked, model);
        for (const name of Object.keys(sampled)) expect(JSON.parse(body.toString())).not.toHaveProperty(name);
        expect(dropped).toEqual(["temperature", "top_p"]);
        expect(convertRequest(["anthropic", wire], { ...base.anthropic, temperature: 1 }, model).dropped).toEqual([]);
      }
      for (const model of ["gpt-4o", "gpt-5-chat-latest", "gpt-oss-120b"])
        expect(sent(["anthropic", wire], asked, model)).toMatchObject(sampled);
    }
    const stops = { ...base.anthropic, stop_sequences: ["END"] };
    expect(() => convertRequest(["anthropic", "chat"], stops, "gpt-5")).toThrow(
      expect.objectContaining({ code: "not_convertible", field: "stop_sequences" }),
    );
    expect(sent(["anthropic", "chat"], stops, "gpt-4o").stop).toEqual(["END"]);
  });

  test("Claude from 4.7 on is told no temperature, top_p or top_k", () => {
    const sampled = { temperature: 0.2, top_p: 0.9, top_k: 5 };
    for (const model of ["claude-opus-4-7", "claude-sonnet-5", "anthropic/claude-opus-5.5"]) {
      const { body, dropped } = convertRequest(["chat", "anthropic"], { ...base.chat, ...sampled }, model);
      for (const name of Object.keys(sampled)) expect(JSON.parse(body.toString())).not.toHaveProperty(name);
      expect(dropped).toEqual(["top_k", "temperature", "top_p"]);
      expect(convertRequest(["chat", "anthropic"], { ...base.chat, temperature: 1, top_p: 1 }, model).dropped).toEqual([]);
    }
    for (const model of ["claude-sonnet-4-6", "claude-opus-4-20250514", "claude-haiku-4-5-20251001"])
      expect(sent(["chat", "anthropic"], { ...base.chat, ...sampled }, model)).toMatchObject({ temperature: 0.2, top_k: 5 });
  });

  test("Claude from 5.5 on, which cannot be forced to call a tool, is asked to", () => {
    const tools = [{ type: "function", function: { name: "f", parameters: { type: "object" } } }];
    const named = { type: "function", function: { name: "f" } };
    const forced = { ...base.chat, tools, tool_choice: named, parallel_tool_calls: false, reasoning_effort: "low" };
    for (const model of ["claude-opus-5-5", "claude-sonnet-5.5", "claude-fable-5-1"]) {
      const { body, dropped } = convertRequest(["chat", "anthropic"], forced, model);
      expect(JSON.parse(body.toString())).toMatchObject({
        tool_choice: { type: "auto", disable_parallel_tool_use: true },
        system: [{ type: "text", text: "Answer by calling the tool 'f'." }],
        thinking: { type: "adaptive" },
      });
      expect(dropped).toEqual(["tool_choice"]);
    }
    expect(sent(["chat", "anthropic"], { ...forced, tool_choice: "required" }, "claude-haiku-5-5").system).toEqual([
      { type: "text", text: "Answer by calling one of the tools." },
    ]);
    expect(sent(["chat", "anthropic"], forced, "claude-opus-5")).toMatchObject({ tool_choice: { type: "tool", name: "f" } });
  });

  test("Claude from 4.6 on, which refuses a conversation that ends with the assistant, is told to continue", () => {
    const request = { ...base.chat, messages: [...messages, { role: "assistant", content: "Once" }] };
    const rolesOf = (model: string) => sent(["chat", "anthropic"], request, model).messages.map(({ role }: { role: string }) => role);
    expect(rolesOf("claude-opus-4-6")).toEqual(["user", "assistant", "user"]);
    expect(rolesOf("claude-sonnet-4-5")).toEqual(["user", "assistant"]);
  });

  test("a text file becomes plain text for Anthropic, whose base64 is for PDFs only", () => {
    const bytes = (text: string) => Buffer.from(text).toString("base64");
    const { messages: turns } = sent(["responses", "anthropic"], {
      model: "m",
      input: [
        {
          role: "user",
          content: [
            { type: "input_file", filename: "a.csv", file_data: `data:text/csv;base64,${bytes("a,b\n1,\u00e9")}` },
            { type: "input_file", filename: "a.pdf", file_data: `data:application/pdf;base64,${bytes("%PDF")}` },
          ],
        },
      ],
    });
    expect(turns[0].content).toEqual([
      { type: "document", source: { type: "text", media_type: "text/plain", data: "a,b\n1,\u00e9" }, title: "a.csv" },
      { type: "document", source: { type: "base64", media_type: "application/pdf", data: bytes("%PDF") }, title: "a.pdf" },
    ]);
  });
});

function convertRequestBytes([from, to]: [Wire, Wire], body: string): string {
  return convert({ from, to, body: Buffer.from(body), model: "m", requestId: "r", nowMs: 0 }).body.toString();
}
