import { describe, expect, test } from "vitest";
import type { Wire } from "../intermediate.ts";
import { convertAnswer, convertRequest, convertStream, pairs } from "./pairs.ts";
import { providerAnswer, providerStream, type Said } from "./provider-answers.ts";
import { readOrdered } from "./stream-order.ts";

const longest: Record<Wire, number> = { anthropic: 128, chat: 64, responses: 64 };
const prefix = `mcp__${"a_server_with_a_long_name_".repeat(5)}`;
/** Longer than any provider accepts, and equal up to that length. */
const names = [`${prefix}_list`, `${prefix}_read`] as const;
const [list, read] = names;
const user = (content: unknown) => ({ role: "user", content });
const schema = { type: "object", properties: {} };

/** Two tools, a choice of the second one, and a call of the first one in the conversation. */
const requests: Record<Wire, Record<string, unknown>> = {
  anthropic: {
    ...{ model: "m", max_tokens: 10, tool_choice: { type: "tool", name: read } },
    tools: names.map((name) => ({ name, input_schema: schema })),
    messages: [
      user("Hi"),
      { role: "assistant", content: [{ type: "tool_use", id: "call_1", name: list, input: {} }] },
      user([{ type: "tool_result", tool_use_id: "call_1", content: "a" }]),
    ],
  },
  chat: {
    ...{ model: "m", tool_choice: { type: "function", function: { name: read } } },
    tools: names.map((name) => ({ type: "function", function: { name, parameters: schema } })),
    messages: [
      user("Hi"),
      { role: "assistant", tool_calls: [{ id: "call_1", type: "function", function: { name: list, arguments: "{}" } }] },
      { role: "tool", tool_call_id: "call_1", content: "a" },
    ],
  },
  responses: {
    ...{ model: "m", tool_choice: { type: "function", name: read } },
    tools: names.map((name) => ({ type: "function", name, parameters: schema })),
    input: [
      user("Hi"),
      { type: "function_call", call_id: "call_1", name: list, arguments: "{}" },
      { type: "function_call_output", call_id: "call_1", output: "a" },
    ],
  },
};

const sent = (pair: [Wire, Wire], request: object) => JSON.parse(convertRequest(pair, request).body.toString());
/** Where each dialect puts the names: of the tools, of the choice and of the earlier call. */
const namesIn: Record<Wire, (body: ReturnType<typeof sent>) => { tools: string[]; choice: string; call: string }> = {
  anthropic: ({ tools, tool_choice, messages }) => ({
    tools: tools.map(({ name }: { name: string }) => name),
    choice: tool_choice.name,
    call: messages[1].content[0].name,
  }),
  chat: ({ tools, tool_choice, messages }) => ({
    tools: tools.map((tool: { function: { name: string } }) => tool.function.name),
    choice: tool_choice.function.name,
    call: messages[1].tool_calls[0].function.name,
  }),
  responses: ({ tools, tool_choice, input }) => ({
    tools: tools.map(({ name }: { name: string }) => name),
    choice: tool_choice.name,
    call: input[1].name,
  }),
};
const calledIn: Record<Wire, (answer: ReturnType<typeof sent>) => string> = {
  anthropic: ({ content }) => content[0].name,
  chat: ({ choices }) => choices[0].message.tool_calls[0].function.name,
  responses: ({ output }) => output[0].name,
};

describe.each(pairs)("%s → %s: a tool's name that is longer than the provider takes", (from, to) => {
  const request = requests[from];

  test("is shortened equally wherever the request has it", () => {
    const { tools, choice, call } = namesIn[to](sent([from, to], request));
    expect(new Set(tools).size).toBe(2);
    for (const name of tools) expect(name).toMatch(new RegExp(`^[a-zA-Z0-9_-]{1,${longest[to]}}$`));
    expect(tools).toEqual([call, choice]);
    expect(convertRequest([from, to], request).dropped).toEqual([]);
  });

  test("is restored in the answer, whole, streamed, and whole where a stream was requested", () => {
    const { choice } = namesIn[to](sent([from, to], request));
    const said: Said = { calls: [{ id: "call_2", name: choice, pieces: ["{}"] }], stop: "tool" };
    const asked = { ...request, stream: true };
    expect(calledIn[from](JSON.parse(convertAnswer([from, to], request, providerAnswer[to](said))))).toBe(read);
    const streams = [
      convertStream([from, to], asked, providerStream[to](said)).text,
      convertAnswer([from, to], asked, providerAnswer[to](said)),
    ];
    for (const stream of streams) expect(readOrdered[from](stream).calls.map(({ name }) => name)).toEqual([read]);
  });

  test("is left as it is up to that length", () => {
    const fits = (name: string) => `${name.slice(0, longest[to] - 5)}${name.slice(-5)}`;
    const short = JSON.parse(names.reduce((text, name) => text.replaceAll(name, fits(name)), JSON.stringify(request)));
    expect(namesIn[to](sent([from, to], short))).toEqual({ tools: names.map(fits), choice: fits(read), call: fits(list) });
  });
});

test("a tool in a namespace whose joined name is too long is separated again in the answer, and a custom tool is unwrapped", () => {
  const namespace = "mcp__a_server_with_a_long_name_that_leaves_no_room";
  const tools = [{ type: "namespace", name: namespace, tools: [{ type: "custom", name: "write_into_the_document" }] }];
  const asked = { model: "m", input: "Hi", tools };
  const name = sent(["responses", "chat"], asked).tools[0].function.name;
  expect(name).toMatch(/^[\w-]{1,64}$/);
  const said = { calls: [{ id: "call_1", name, pieces: ['{"input":"text"}'] }], stop: "tool" as const };
  const { output } = JSON.parse(convertAnswer(["responses", "chat"], asked, providerAnswer.chat(said)));
  expect(output[0]).toMatchObject({ type: "custom_tool_call", namespace, name: "write_into_the_document", input: "text" });
});
