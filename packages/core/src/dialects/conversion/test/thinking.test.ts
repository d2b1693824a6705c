import { describe, expect, test } from "vitest";
import { withoutForeignThinking } from "../foreign-thinking.ts";
import type { Wire } from "../intermediate.ts";
import { base, convertAnswer, convertRequest, convertStream, messages, pairs, sent } from "./pairs.ts";
import { providerAnswer, providerStream, type Said } from "./provider-answers.ts";
import { readEvents } from "./stream-order.ts";

describe("thinking", () => {
  test("a text that looks like a mark leaves the bytes as they are", () => {
    const body = Buffer.from('{ "model":"m", "messages":[ {"role":"user","content":[{"type":"text","text":"sluice:chat::"}]} ] }');
    expect(withoutForeignThinking(body, "anthropic")).toBe(body);
  });

  const asks: Record<Wire, object> = {
    anthropic: { ...base.anthropic, max_tokens: 16_000, thinking: { type: "enabled", budget_tokens: 4000 } },
    chat: { ...base.chat, reasoning_effort: "high" },
    responses: { ...base.responses, reasoning: { effort: "high" } },
  };
  const said: Said = { thinking: ["Hm, ", "so."], sealed: "c2VhbA==", texts: [["Yes."]] };

  test.each(pairs)("%s → %s: what the client hands back goes to its maker as it came, whole and streamed", (from, to) => {
    const whole = JSON.parse(convertAnswer([from, to], asks[from], providerAnswer[to](said)));
    const streamed = lastAnswer(from, convertStream([from, to], { ...asks[from], stream: true }, providerStream[to](said)).text);
    for (const answer of [whole, streamed]) {
      const request = { ...asks[from], ...continued(from, answer) };
      expect(thinkingIn(to, sent([from, to], request))).toEqual(
        to === "chat" ? { text: "Hm, so.", seal: "" } : { text: "Hm, so.", seal: "c2VhbA==" },
      );
      // Another provider cannot read it, and would refuse it.
      const other = (["anthropic", "chat", "responses"] as const).find((wire) => wire !== from && wire !== to) as Wire;
      expect(thinkingIn(other, sent([from, other], request))).toBeNull();
    }
  });

  test("redacted thinking survives as well", () => {
    for (const from of ["chat", "responses"] as const) {
      const answer = JSON.parse(
        convertAnswer([from, "anthropic"], asks[from], providerAnswer.anthropic({ redacted: "cmVk", texts: [["Yes."]] })),
      );
      const body = sent([from, "anthropic"], { ...asks[from], ...continued(from, answer) });
      expect(body.messages[1].content[0]).toEqual({ type: "redacted_thinking", data: "cmVk" });
    }
  });

  test("Anthropic's clients see it only when they asked for it", () => {
    const stream = convertStream(["anthropic", "chat"], { ...base.anthropic, stream: true }, providerStream.chat(said)).text;
    expect(stream).not.toContain("thinking");
    expect(convertAnswer(["anthropic", "chat"], base.anthropic, providerAnswer.chat(said))).not.toContain("thinking");
  });

  test("is asked for as each model understands it", () => {
    expect(sent(["chat", "anthropic"], asks.chat, "claude-sonnet-4-5").thinking).toEqual({ type: "enabled", budget_tokens: 24_576 });
    expect(sent(["chat", "anthropic"], asks.chat, "claude-opus-4-7")).toMatchObject({
      thinking: { type: "adaptive", display: "summarized" },
      output_config: { effort: "high" },
    });
    const effort = (reasoning_effort: string, model: string) =>
      sent(["chat", "anthropic"], { ...asks.chat, reasoning_effort }, model).output_config;
    expect(effort("xhigh", "claude-sonnet-4-6")).toEqual({ effort: "high" });
    expect(effort("xhigh", "claude-opus-4-7")).toEqual({ effort: "xhigh" });
    expect(sent(["anthropic", "responses"], asks.anthropic, "gpt-5")).toMatchObject({
      reasoning: { effort: "low" },
      include: ["reasoning.encrypted_content"],
    });
    expect(convertRequest(["anthropic", "chat"], asks.anthropic, "gpt-4o").dropped).toEqual(["thinking"]);
    for (const type of ["disabled", "between_tools"])
      expect(sent(["anthropic", "responses"], { ...base.anthropic, thinking: { type } }, "gpt-5.2")).toMatchObject({
        reasoning: { effort: "none" },
      });
  });

  test.each([
    ["max", "gpt-6.1-sol", "max"],
    ["max", "gpt-5.4", "xhigh"],
    ["max", "openai/gpt-5-mini", "high"],
    ["xhigh", "gpt-5.1-codex-max", "xhigh"],
    ["xhigh", "gpt-5.1", "high"],
    ["xhigh", "o3", "high"],
    ["xhigh", "glm-5", "high"],
    ["high", "o3", "high"],
  ])("of effort %s is asked of %s as %s: OpenAI refuses an effort that a model does not have", (effort, model, expected) => {
    const request = { ...base.anthropic, thinking: { type: "adaptive" }, output_config: { effort } };
    expect(sent(["anthropic", "chat"], request, model).reasoning_effort).toBe(expected);
    expect(sent(["anthropic", "responses"], request, model).reasoning.effort).toBe(expected);
  });

  test("of the least effort is asked as low where a model has no less", () => {
    const asked = { ...base.responses, reasoning: { effort: "minimal" } };
    expect(sent(["responses", "chat"], asked, "gpt-5-mini").reasoning_effort).toBe("minimal");
    expect(sent(["responses", "chat"], asked, "gpt-5.4").reasoning_effort).toBe("low");
  });

  test("is not asked of Anthropic beside a forced tool, nor in a tool's turn that began without it", () => {
    const tools = [{ type: "function", function: { name: "f", parameters: { type: "object" } } }];
    const forced = convertRequest(["chat", "anthropic"], { ...asks.chat, tools, tool_choice: "required" });
    expect(forced.dropped).toEqual(["reasoning_effort"]);
    const turn = [
      ...messages,
      { role: "assistant", tool_calls: [{ id: "a", type: "function", function: { name: "f", arguments: "{}" } }] },
      { role: "tool", tool_call_id: "a", content: "1" },
    ];
    expect(JSON.parse(convertRequest(["chat", "anthropic"], { ...asks.chat, tools, messages: turn }).body.toString())).not.toHaveProperty(
      "thinking",
    );
    // Models that decide themselves when to think accept both kinds of turns.
    expect(sent(["chat", "anthropic"], { ...asks.chat, tools, messages: turn }, "claude-opus-4-6")).toHaveProperty("thinking");
  });

  test("that is not wanted is little where a model thinks unasked, and none where it does not", () => {
    const none = { ...base.chat, reasoning_effort: "none" };
    for (const model of ["claude-opus-5", "claude-sonnet-5-5", "claude-fable-5-1"]) {
      const { body, dropped } = convertRequest(["chat", "anthropic"], none, model);
      expect(JSON.parse(body.toString())).toMatchObject({ output_config: { effort: "low" } });
      expect(dropped).toEqual(["reasoning_effort"]);
    }
    const older = convertRequest(["chat", "anthropic"], none, "claude-opus-4-8");
    expect(JSON.parse(older.body.toString())).not.toHaveProperty("output_config");
    expect(older.dropped).toEqual([]);
  });
});

/** The answer that a client has when a stream is over. */
function lastAnswer(from: Wire, stream: string): Record<string, unknown> {
  const events = readEvents(stream).map(({ body }) => body ?? {});
  if (from === "responses") return events.at(-1)?.response as Record<string, unknown>;
  if (from === "chat") {
    const deltas = events
      .flatMap(({ choices }) => (choices as { delta: Record<string, unknown> }[] | undefined) ?? [])
      .map(({ delta }) => delta);
    const textOf = (field: string) => deltas.map((delta) => delta[field] ?? "").join("");
    const reasoning_details = deltas.flatMap((delta) => delta.reasoning_details ?? []);
    return {
      choices: [
        { message: { role: "assistant", content: textOf("content"), reasoning_content: textOf("reasoning_content"), reasoning_details } },
      ],
    };
  }
  const content: Record<string, unknown>[] = [];
  for (const { type, content_block, delta } of events as Record<string, Record<string, unknown>>[]) {
    if (String(type) === "content_block_start" && content_block) content.push({ ...content_block });
    const block = content.at(-1);
    for (const [name, value] of Object.entries(delta ?? {}))
      if (block && typeof block[name] === "string" && name !== "type") block[name] = String(block[name]) + String(value);
  }
  return { content };
}

/** The next request of a conversation in which that answer was given. */
function continued(from: Wire, answer: Record<string, unknown>): object {
  const more = { role: "user", content: "Go on." };
  if (from === "anthropic") return { messages: [...messages, { role: "assistant", content: answer.content }, more] };
  if (from === "chat") return { messages: [...messages, (answer.choices as { message: object }[])[0]?.message, more] };
  return { input: [...messages, ...(answer.output as object[]), more] };
}

/** Reasoning in a request as a provider would find it; null when there is none. */
function thinkingIn(wire: Wire, body: Record<string, unknown>): { text: string; seal: string } | null {
  if (wire === "responses") {
    const item = (body.input as Record<string, unknown>[]).find(({ type }) => type === "reasoning");
    return item
      ? { text: (item.summary as { text: string }[]).map(({ text }) => text).join(""), seal: String(item.encrypted_content) }
      : null;
  }
  const message = (body.messages as Record<string, unknown>[]).find(({ role }) => role === "assistant") ?? {};
  if (wire === "chat") return message.reasoning_content ? { text: String(message.reasoning_content), seal: "" } : null;
  const block = (message.content as Record<string, unknown>[]).find(({ type }) => type === "thinking");
  return block ? { text: String(block.thinking), seal: String(block.signature) } : null;
}
