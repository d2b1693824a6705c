/** One feature at a time: how a client of each dialect requests it, and what a provider answers. */
import type { Wire } from "../intermediate.ts";
import type { Said } from "./provider-answers.ts";

export interface Feature {
  name: string;
  requests: Record<Wire, Record<string, unknown>>;
  said: Said;
}

const claude = { model: "claude-sonnet-4-5", max_tokens: 1000 };
const gpt = { model: "gpt-5-mini" };
const hi = "What is the weather in Paris?";
const hello: Said = { texts: [["Sunny, ", "24 °C 中文 😀"]] };
const schema = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const weather = { name: "get_weather", description: "Weather of a city" };
const tools = {
  anthropic: [{ ...weather, input_schema: schema, cache_control: { type: "ephemeral" } }],
  chat: [{ type: "function", function: { ...weather, parameters: schema, strict: true } }],
  responses: [{ type: "function", ...weather, parameters: schema, strict: true }],
};
const pixel = "iVBORw0KGgo=";
const image = `data:image/png;base64,${pixel}`;
const address = "https://example.com/cat.jpg";
const user = (content: unknown) => [{ role: "user", content }];

const plain = {
  anthropic: { ...claude, messages: user(hi) },
  chat: { ...gpt, messages: user(hi) },
  responses: { ...gpt, input: hi },
};
const withTools = {
  anthropic: { ...plain.anthropic, tools: tools.anthropic },
  chat: { ...plain.chat, tools: tools.chat },
  responses: { ...plain.responses, tools: tools.responses },
};
const thinks = {
  anthropic: { ...claude, max_tokens: 16_000, thinking: { type: "enabled", budget_tokens: 10_000 } },
  chat: { ...gpt, reasoning_effort: "medium" },
  responses: { ...gpt, reasoning: { effort: "medium", summary: "auto" }, include: ["reasoning.encrypted_content"], store: false },
};
const toolTurn: Said = {
  texts: [["Let me look."]],
  calls: [{ id: "call_1", name: "get_weather", pieces: ['{"city"', ':"Par', 'is"}'] }],
  stop: "tool",
};

export const features: readonly Feature[] = [
  { name: "text", requests: plain, said: hello },
  {
    name: "system",
    requests: {
      anthropic: {
        ...plain.anthropic,
        system: [
          { type: "text", text: "Be brief." },
          { type: "text", text: "Use Celsius.", cache_control: { type: "ephemeral", ttl: "1h" } },
        ],
      },
      chat: {
        ...gpt,
        messages: [
          { role: "system", content: "Be brief." },
          { role: "developer", content: [{ type: "text", text: "Use Celsius." }] },
          ...user(hi),
          { role: "system", content: "Now in French." },
        ],
      },
      responses: {
        ...gpt,
        instructions: "Be brief.",
        input: [
          { role: "developer", content: "Use Celsius." },
          { type: "message", ...user(hi)[0] },
        ],
      },
    },
    said: hello,
  },
  {
    name: "multi-turn",
    requests: {
      anthropic: {
        ...claude,
        messages: [
          ...user("Hi"),
          { role: "assistant", content: [{ type: "text", text: "Hello." }] },
          ...user([
            { type: "text", text: "And" },
            { type: "text", text: hi },
          ]),
        ],
      },
      chat: { ...gpt, messages: [...user("Hi"), { role: "assistant", content: "Hello." }, ...user("And"), ...user(hi)] },
      responses: {
        ...gpt,
        input: [
          ...user("Hi"),
          { type: "message", role: "assistant", content: [{ type: "output_text", text: "Hello.", annotations: [] }] },
          ...user([{ type: "input_text", text: hi }]),
        ],
      },
    },
    said: { texts: [["First."], ["Second."]] },
  },
  {
    name: "sampling",
    requests: {
      anthropic: {
        ...plain.anthropic,
        temperature: 0.5,
        top_p: 0.9,
        top_k: 40,
        stop_sequences: [],
        metadata: { user_id: "user-1" },
        service_tier: "auto",
      },
      chat: {
        ...plain.chat,
        max_tokens: 50,
        temperature: 1.5,
        top_p: 0.9,
        seed: 7,
        user: "user-1",
        presence_penalty: 0.2,
        n: 1,
        verbosity: "low",
      },
      responses: {
        ...plain.responses,
        max_output_tokens: 50,
        temperature: 0.5,
        top_p: 0.9,
        user: "user-1",
        truncation: "auto",
        text: { verbosity: "low" },
        metadata: { a: "b" },
      },
    },
    said: { ...hello, stop: "length" },
  },
  { name: "tools", requests: withTools, said: toolTurn },
  {
    name: "parallel-tools",
    requests: {
      anthropic: { ...withTools.anthropic, tool_choice: { type: "any", disable_parallel_tool_use: false } },
      chat: { ...withTools.chat, tool_choice: "required", parallel_tool_calls: true },
      responses: { ...withTools.responses, tool_choice: "required", parallel_tool_calls: true },
    },
    said: {
      calls: [
        { id: "call_1", name: "get_weather", pieces: ['{"city":', '"Paris"}'] },
        { id: "call_2", name: "get_time", pieces: [] },
        { id: "call_3", name: "get_weather", pieces: ['{"city":"Rome","id":12345678901234567890}'] },
      ],
      stop: "tool",
    },
  },
  {
    name: "named-tool",
    requests: {
      anthropic: { ...withTools.anthropic, tool_choice: { type: "tool", name: "get_weather", disable_parallel_tool_use: true } },
      chat: { ...withTools.chat, tool_choice: { type: "function", function: { name: "get_weather" } }, parallel_tool_calls: false },
      responses: { ...withTools.responses, tool_choice: { type: "function", name: "get_weather" }, parallel_tool_calls: false },
    },
    said: { calls: toolTurn.calls, stop: "tool" },
  },
  {
    name: "tool-results",
    requests: {
      anthropic: {
        ...withTools.anthropic,
        messages: [
          ...user(hi),
          {
            role: "assistant",
            content: [
              { type: "text", text: "Let me look." },
              { type: "tool_use", id: "toolu_1", name: "get_weather", input: { city: "Paris", id: 1 } },
              { type: "tool_use", id: "toolu_2", name: "get_weather", input: {} },
            ],
          },
          ...user([
            { type: "tool_result", tool_use_id: "toolu_1", content: "24 °C" },
            {
              type: "tool_result",
              tool_use_id: "toolu_2",
              is_error: true,
              content: [
                { type: "text", text: "no city" },
                { type: "image", source: { type: "base64", media_type: "image/png", data: pixel } },
              ],
            },
            { type: "text", text: "Go on." },
          ]),
        ],
      },
      chat: {
        ...withTools.chat,
        messages: [
          ...user(hi),
          {
            role: "assistant",
            content: "Let me look.",
            tool_calls: [
              {
                id: "call_1",
                type: "function",
                function: { name: "get_weather", arguments: '{"city": "Paris", "id": 12345678901234567890}' },
              },
              { id: "functions.get_weather:1", type: "function", function: { name: "get_weather", arguments: "" } },
            ],
          },
          { role: "tool", tool_call_id: "call_1", content: "24 °C" },
          { role: "tool", tool_call_id: "functions.get_weather:1", content: [{ type: "text", text: "no city" }] },
          ...user("Go on."),
        ],
      },
      responses: {
        ...withTools.responses,
        input: [
          ...user(hi),
          { type: "message", role: "assistant", content: [{ type: "output_text", text: "Let me look." }] },
          { type: "function_call", id: "fc_1", call_id: "call_1", name: "get_weather", arguments: '{"city":"Paris"}' },
          { type: "function_call", id: "fc_2", call_id: "call_2", name: "get_weather", arguments: "{}" },
          { type: "function_call_output", call_id: "call_1", output: "24 °C" },
          {
            type: "function_call_output",
            call_id: "call_2",
            output: [
              { type: "input_text", text: "no city" },
              { type: "input_image", image_url: image },
            ],
          },
          ...user("Go on."),
        ],
      },
    },
    said: hello,
  },
  {
    name: "images",
    requests: {
      anthropic: {
        ...claude,
        messages: user([
          { type: "image", source: { type: "base64", media_type: "image/png", data: pixel } },
          { type: "image", source: { type: "url", url: address } },
          { type: "document", title: "a.pdf", source: { type: "base64", media_type: "application/pdf", data: pixel } },
          { type: "text", text: "What is this?" },
        ]),
      },
      chat: {
        ...gpt,
        messages: user([
          { type: "image_url", image_url: { url: image, detail: "low" } },
          { type: "image_url", image_url: { url: address } },
          { type: "file", file: { filename: "a.pdf", file_data: `data:application/pdf;base64,${pixel}` } },
          { type: "text", text: "What is this?" },
        ]),
      },
      responses: {
        ...gpt,
        input: user([
          { type: "input_image", image_url: image, detail: "low" },
          { type: "input_image", image_url: address },
          { type: "input_file", filename: "a.pdf", file_data: `data:application/pdf;base64,${pixel}` },
          { type: "input_text", text: "What is this?" },
        ]),
      },
    },
    said: hello,
  },
  {
    name: "thinking",
    requests: {
      anthropic: { ...thinks.anthropic, messages: user(hi) },
      chat: { ...thinks.chat, messages: user(hi) },
      responses: { ...thinks.responses, input: hi },
    },
    said: {
      ...hello,
      thinking: ["Hm, ", "Paris."],
      sealed: "c2VhbGVk",
      usage: { input: 100, output: 40, read: 0, write5m: 0, write1h: 0, reasoning: 12 },
    },
  },
  {
    name: "schema",
    requests: {
      anthropic: { ...plain.anthropic, output_config: { format: { type: "json_schema", schema } } },
      chat: { ...plain.chat, response_format: { type: "json_schema", json_schema: { name: "place", schema, strict: true } } },
      responses: { ...plain.responses, text: { format: { type: "json_schema", name: "place", schema, strict: true } } },
    },
    said: { texts: [['{"city":', '"Paris"}']] },
  },
  {
    name: "json",
    requests: {
      anthropic: plain.anthropic,
      chat: { ...plain.chat, response_format: { type: "json_object" } },
      responses: { ...plain.responses, text: { format: { type: "json_object" } } },
    },
    said: { texts: [['{"city":', '"Paris"}']] },
  },
  {
    name: "cache",
    requests: plain,
    said: { ...hello, usage: { input: 7, output: 20, read: 1000, write5m: 50, write1h: 30, reasoning: 0 } },
  },
  { name: "refusal", requests: plain, said: { refusal: ["I cannot ", "do that."], stop: "refusal" } },
  { name: "filtered", requests: plain, said: { texts: [["It is"]], stop: "refusal" } },
  { name: "max-tokens", requests: plain, said: { texts: [["It is"]], stop: "length" } },
  { name: "empty", requests: plain, said: { stop: "end" } },
  { name: "no-usage-chunk", requests: plain, said: { ...hello, saysNoUsage: true } },
  { name: "error-mid", requests: plain, said: { texts: [["It is"]], failsWith: "Overloaded" } },
];
