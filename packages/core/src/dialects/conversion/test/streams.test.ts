import { describe, expect, test } from "vitest";
import type { Wire } from "../intermediate.ts";
import { features } from "./features.ts";
import { convertAnswer, convertRequest, convertStream, openMeter, pairs } from "./pairs.ts";
import { providerAnswer, providerStream, type Said } from "./provider-answers.ts";
import { readOrdered, type Told } from "./stream-order.ts";

const asksForUsage = (from: Wire, request: Record<string, unknown>) =>
  from === "chat" ? { ...request, stream_options: { include_usage: true } } : request;
const requestOf = (from: Wire, name: string) =>
  asksForUsage(from, { ...features.find((feature) => feature.name === name)?.requests[from] });
const ended = features.filter(({ said }) => !said.failsWith);

/** What the complete answer says, to compare with the stream. */
function toldByWhole(from: Wire, answer: string): Partial<Told> {
  const body = JSON.parse(answer);
  if (from === "anthropic") {
    const textOf = (type: string, field: string) =>
      body.content
        .filter((block: Record<string, unknown>) => block.type === type)
        .map((block: Record<string, unknown>) => block[field])
        .join("");
    return { texts: textOf("text", "text"), thinking: textOf("thinking", "thinking"), stop: body.stop_reason, usage: body.usage };
  }
  if (from === "chat") {
    const [{ message, finish_reason }] = body.choices;
    return {
      texts: message.content ?? "",
      thinking: message.reasoning_content ?? "",
      refusal: message.refusal ?? "",
      stop: finish_reason,
      usage: body.usage,
    };
  }
  const items = body.output as { type: string; content?: { type: string; text?: string }[] }[];
  const texts = items
    .flatMap(({ type, content }) => (type === "message" ? (content ?? []) : []))
    .map(({ type, text }) => (type === "output_text" ? text : ""));
  return { texts: texts.join(""), usage: body.usage };
}

describe.each(pairs)("%s → %s", (from, to) => {
  test.each(ended.map((feature) => [feature.name, feature.said] as const))(
    "a stream of %s has the client's order and says what the whole answer says",
    (name, said) => {
      const request = requestOf(from, name);
      const { text } = convertStream([from, to], { ...request, stream: true }, providerStream[to](said));
      const told = readOrdered[from](text);
      if (said.saysNoUsage && to === "chat") return;
      expect(told).toMatchObject(toldByWhole(from, convertAnswer([from, to], request, providerAnswer[to](said))));
      expect(told.calls.map(({ name }) => name)).toEqual((said.calls ?? []).map(({ name }) => name));
      for (const { args } of told.calls) expect(() => JSON.parse(args)).not.toThrow();
    },
  );

  test("cut into 1 … 64 bytes, with CRLF, it is converted to the same bytes", () => {
    for (const name of ["parallel-tools", "thinking", "tools"]) {
      const feature = features.find((one) => one.name === name);
      const stream = providerStream[to](feature?.said ?? {});
      const request = { ...requestOf(from, name), stream: true };
      const whole = convertStream([from, to], request, stream);
      for (let slice = 1; slice <= 64; slice += 1) expect(convertStream([from, to], request, stream, slice).text).toBe(whole.text);
      expect(convertStream([from, to], request, stream.replaceAll("\n", "\r\n"), 7).text).toBe(whole.text);
    }
  });

  test("the end waits for the charge, and is not sent without the provider's", () => {
    const said: Said = { texts: [["Hello"]] };
    const request = { ...requestOf(from, "text"), stream: true };
    const stream = providerStream[to](said);
    const endings = { anthropic: "message_stop", chat: "[DONE]", responses: "response.completed" };
    const { early, late } = convertStream([from, to], request, stream);
    expect(early).not.toContain(endings[from]);
    expect(late).toContain(endings[from]);
    const cut = convertStream([from, to], request, stream.slice(0, stream.indexOf("Hello") + 30));
    expect(cut.reading.complete).toBe(false);
    expect(cut.late).toBe("");
    expect(() => readOrdered[from](cut.text)).toThrow();
  });

  test("each piece of text leaves with the chunk that brought it", () => {
    const meter = openMeter([from, to], { ...requestOf(from, "text"), stream: true });
    const pieces = Array.from({ length: 50 }, (_, index) => `piece-${index} `);
    const stream = providerStream[to]({ texts: [pieces] });
    let at = 0;
    for (const piece of pieces) {
      const end = stream.indexOf("\n\n", stream.indexOf(piece, at)) + 2;
      expect(Buffer.concat(meter.feed(Buffer.from(stream.slice(at, end)))).toString()).toContain(piece);
      at = end;
    }
  });

  test("a provider's error in the stream is sent in the client's dialect, once", () => {
    const { early, late } = convertStream(
      [from, to],
      { ...requestOf(from, "error-mid"), stream: true },
      providerStream[to]({ texts: [["It is"]], failsWith: "Overloaded" }),
    );
    expect(early).toContain("It is");
    expect(early).not.toContain("Overloaded");
    expect(late).toContain("Overloaded");
    // Responses tell it in two events, for two kinds of clients.
    expect(late.split("\n\n").filter(Boolean)).toHaveLength(from === "responses" ? 2 : 1);
  });
});

describe("chat streams as providers really send them", () => {
  const chunk = (delta: object, finish: string | null = null) =>
    `data: ${JSON.stringify({ id: "c", model: "m", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  const call = (index: number | undefined, args: string, head?: { id: string; name: string }) =>
    chunk({
      tool_calls: [
        { index, ...(head ? { id: head.id, type: "function" } : {}), function: { ...(head ? { name: head.name } : {}), arguments: args } },
      ],
    });
  const toldOf = (...chunks: string[]) => {
    const text = convertStream(
      ["anthropic", "chat"],
      { ...requestOf("anthropic", "tools"), stream: true },
      `${chunks.join("")}data: [DONE]\n\n`,
    ).text;
    return readOrdered.anthropic(text);
  };

  test("closed after the finish reason, without [DONE], they end as they were finished", () => {
    const chunks = [chunk({ role: "assistant" }), call(0, "{}", { id: "a", name: "one" }), chunk({}, "tool_calls")].join("");
    const request = { ...requestOf("anthropic", "tools"), stream: true };
    const meter = openMeter(["anthropic", "chat"], request);
    const text = Buffer.concat([...meter.feed(Buffer.from(chunks)), ...meter.rest(true)]).toString();
    expect(meter.reading.complete).toBe(true);
    expect(text).toContain('"stop_reason":"tool_use"');
    readOrdered.anthropic(text);
    expect(convertStream(["anthropic", "chat"], request, chunks).text).not.toContain("message_stop");
  });

  test("interleaved parallel calls come out one after another", () => {
    const told = toldOf(
      chunk({ role: "assistant" }),
      call(0, "", { id: "a", name: "one" }),
      call(1, "", { id: "b", name: "two" }),
      call(0, '{"x":'),
      call(1, '{"y":"}'),
      call(0, '"{"}'),
      call(1, '"}'),
      chunk({ content: "and text" }),
      chunk({}, "tool_calls"),
    );
    expect(told.calls).toEqual([
      { id: "a", name: "one", args: '{"x":"{"}' },
      { id: "b", name: "two", args: '{"y":"}"}' },
    ]);
    expect(told).toMatchObject({ texts: "and text", stop: "tool_use" });
  });

  test("calls that all have index 0, or none, are told apart by their ids", () => {
    for (const index of [0, undefined]) {
      const told = toldOf(
        call(index, '{"x":1}', { id: "a", name: "one" }),
        call(index, '{"y":2}', { id: "b", name: "two" }),
        chunk({}, "stop"),
      );
      expect(told.calls.map(({ id, args }) => [id, args])).toEqual([
        ["a", '{"x":1}'],
        ["b", '{"y":2}'],
      ]);
      expect(told.stop).toBe("tool_use");
    }
  });

  test("indices that begin at 1, names that are said with every fragment, ids that are missing", () => {
    const told = toldOf(
      call(1, '{"x"', { id: "a", name: "one" }),
      call(1, ":1}", { id: "a", name: "one" }),
      call(2, "{}", { id: "", name: "two" }),
      chunk({}, "tool_calls"),
    );
    expect(told.calls.map(({ name, args }) => [name, args])).toEqual([
      ["one", '{"x":1}'],
      ["two", "{}"],
    ]);
    expect(told.calls[1]?.id).toMatch(/^call_/);
  });

  test("a name that comes after the id, or after the arguments", () => {
    const told = toldOf(
      chunk({ tool_calls: [{ index: 0, id: "a", type: "function" }] }),
      chunk({ tool_calls: [{ index: 0, function: { name: "one" } }] }),
      call(0, "{}"),
      chunk({ tool_calls: [{ index: 1, id: "b", function: { name: "", arguments: '{"x"' } }] }),
      chunk({ tool_calls: [{ index: 1, function: { name: "two", arguments: ":1}" } }] }),
      chunk({}, "tool_calls"),
    );
    expect(told.calls).toEqual([
      { id: "a", name: "one", args: "{}" },
      { id: "b", name: "two", args: '{"x":1}' },
    ]);
  });

  test("text before, between and after calls is kept in its place", () => {
    const told = toldOf(
      chunk({ content: "a" }),
      call(0, "{}", { id: "a", name: "one" }),
      chunk({ content: "b" }),
      call(1, "{}", { id: "b", name: "two" }),
      chunk({ content: "c" }),
      chunk({}, "tool_calls"),
    );
    expect(told).toMatchObject({ texts: "abc", calls: [{ name: "one" }, { name: "two" }] });
  });

  test("arguments after the end of a call are an error, and never appended to another call", () => {
    expect(() =>
      toldOf(
        call(0, "{}", { id: "a", name: "one" }),
        call(1, "{}", { id: "b", name: "two" }),
        call(0, '{"more":1}'),
        chunk({}, "tool_calls"),
      ),
    ).toThrow();
  });
});

test("custom tools of OpenAI's clients are offered as functions and come back as text, streamed and whole", () => {
  const grammar = { type: "grammar", syntax: "lark", definition: "start: PATCH" };
  const request = {
    ...requestOf("responses", "text"),
    tools: [{ type: "custom", name: "apply_patch", description: "Patch", format: grammar }],
  };
  const args = JSON.stringify({ input: "*** Begin\n中文" });
  const said: Said = { calls: [{ id: "call_1", name: "apply_patch", pieces: [args.slice(0, 9), args.slice(9)] }], stop: "tool" };
  for (const to of ["anthropic", "chat"] as const) {
    expect(convertRequest(["responses", to], request).body.toString()).toContain("start: PATCH");
    const item = { type: "custom_tool_call", call_id: "call_1", name: "apply_patch", input: "*** Begin\n中文" };
    expect(JSON.parse(convertAnswer(["responses", to], request, providerAnswer[to](said))).output[0]).toMatchObject(item);
    const { text } = convertStream(["responses", to], { ...request, stream: true }, providerStream[to](said));
    readOrdered.responses(text);
    expect(text).toContain(`"input":${JSON.stringify(item.input)}`);
  }
});

test("tools in namespaces, also those that Codex offers in the conversation, have one name elsewhere and two on the way back", () => {
  const named = (name: string) => ({ type: "function", name, parameters: { type: "object", properties: {} } });
  const offer = [
    { type: "namespace", name: "functions", tools: [named("wait")] },
    { type: "namespace", name: "clock", tools: [named("sleep")] },
  ];
  const call = { type: "function_call", call_id: "c1", namespace: "clock", name: "sleep", arguments: "{}" };
  const result = { type: "function_call_output", call_id: "c1", output: "" };
  const input = [{ type: "additional_tools", role: "developer", tools: offer }, { role: "user", content: "Hi" }, call, result];
  const said: Said = {
    calls: ["wait", "clock__sleep"].map((name, index) => ({ id: `c${index + 2}`, name, pieces: ["{}"] })),
    stop: "tool",
  };
  for (const to of ["anthropic", "chat"] as const) {
    const request = { model: "m", input };
    const sent = JSON.parse(convertRequest(["responses", to], request).body.toString());
    const names = sent.tools.map((tool: { name?: string; function?: { name: string } }) => tool.name ?? tool.function?.name);
    expect(names).toEqual(["wait", "clock__sleep"]);
    expect(JSON.stringify(sent.messages)).toContain('"name":"clock__sleep"');
    const { output } = JSON.parse(convertAnswer(["responses", to], request, providerAnswer[to](said)));
    expect(output).toMatchObject([{ name: "wait" }, { name: "sleep", namespace: "clock" }]);
    expect(output[0]).not.toHaveProperty("namespace");
    const { text } = convertStream(["responses", to], { ...request, stream: true }, providerStream[to](said));
    readOrdered.responses(text);
    expect(text).toContain('"name":"sleep","namespace":"clock"');
    expect(text).not.toContain("clock__sleep");
  }
});
