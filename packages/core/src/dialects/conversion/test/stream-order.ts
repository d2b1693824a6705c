/** Checks that the dialect's official clients would accept a stream, according to the section "Stream order" of its documentation. */
import type { Wire } from "../intermediate.ts";

type Json = Record<string, unknown>;

export interface Told {
  texts: string;
  thinking: string;
  refusal: string;
  calls: { id: string; name: string; args: string }[];
  stop: string;
  usage: unknown;
}

interface ReadEvent {
  name: string;
  body: Json | null;
}

/** The events of a stream without comments. A null `body` is `[DONE]`. */
export function readEvents(stream: string): ReadEvent[] {
  return stream
    .split("\n\n")
    .filter((block) => block !== "" && !block.startsWith(":"))
    .map((block) => {
      const name = /^event: (.*)$/m.exec(block)?.[1] ?? "";
      const data = /^data: (.*)$/m.exec(block)?.[1] ?? "";
      return { name, body: data === "[DONE]" ? null : (JSON.parse(data) as Json) };
    });
}

function check(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(`stream order: ${what}`);
}

const nothing = (): Told => ({ texts: "", thinking: "", refusal: "", calls: [], stop: "", usage: null });

function readAnthropic(events: ReadEvent[]): Told {
  const told = nothing();
  let open: Json | null = null;
  let index = -1;
  let state: "before" | "inside" | "stopping" | "over" = "before";
  for (const { name, body } of events) {
    check(body, "no [DONE] at Anthropic");
    check(name === body.type, "the event's name is its type");
    if (name === "ping") continue;
    check(state !== "over", "nothing follows message_stop");
    switch (name) {
      case "message_start":
        check(state === "before", "one message_start, first");
        state = "inside";
        break;
      case "content_block_start":
        check(state === "inside" && open === null, "one block open at a time");
        check(body.index === index + 1, "contiguous indices");
        index += 1;
        open = body.content_block as Json;
        if (open.type === "tool_use") told.calls.push({ id: String(open.id), name: String(open.name), args: "" });
        break;
      case "content_block_delta": {
        check(open !== null && body.index === index, "a delta belongs to the open block");
        const delta = body.delta as Json;
        if (open.type === "text") told.texts += String(delta.text);
        else if (open.type === "thinking") told.thinking += delta.type === "thinking_delta" ? String(delta.thinking) : "";
        else (told.calls.at(-1) as { args: string }).args += String(delta.partial_json);
        break;
      }
      case "content_block_stop":
        check(open !== null && body.index === index, "the open block stops");
        open = null;
        break;
      case "message_delta":
        check(state === "inside" && open === null, "message_delta follows the last block");
        state = "stopping";
        told.stop = String((body.delta as Json).stop_reason);
        told.usage = body.usage;
        break;
      case "message_stop":
        check(state === "stopping", "message_stop follows message_delta");
        state = "over";
        break;
      default:
        check(false, `unknown event ${name}`);
    }
  }
  check(state === "over", "message_stop is last");
  return told;
}

function readChat(events: ReadEvent[]): Told {
  const told = nothing();
  let state: "role" | "deltas" | "finished" | "usage" | "done" = "role";
  for (const { body } of events) {
    check(state !== "done", "nothing follows [DONE]");
    if (body === null) {
      check(state === "finished" || state === "usage", "[DONE] follows the finish chunk");
      state = "done";
      continue;
    }
    const choices = body.choices as Json[];
    if (choices.length === 0) {
      check(state === "finished", "one usage chunk, behind the finish chunk");
      told.usage = body.usage;
      state = "usage";
      continue;
    }
    const { delta, finish_reason } = choices[0] as { delta: Json; finish_reason: unknown };
    if (state === "role") check(delta.role === "assistant", "the first chunk has the role");
    else check(delta.role === undefined, "the role is said once");
    if (state === "role") state = "deltas";
    check(state === "deltas", "no delta behind the finish chunk");
    told.texts += String(delta.content ?? "");
    told.thinking += String(delta.reasoning_content ?? "");
    told.refusal += String(delta.refusal ?? "");
    for (const call of (delta.tool_calls ?? []) as Json[]) readToolDelta(told, call);
    if (finish_reason === null) continue;
    told.stop = String(finish_reason);
    state = "finished";
  }
  check(state === "done", "[DONE] is last");
  return told;
}

function readToolDelta(told: Told, call: Json): void {
  const { name, arguments: args } = call.function as Json;
  if (call.index === told.calls.length) {
    check(call.id && name && call.type === "function", "a call's first fragment has id, type and name");
    told.calls.push({ id: String(call.id), name: String(name), args: String(args) });
    return;
  }
  check(call.id === undefined && name === undefined, "id and name are said once");
  const known = told.calls[Number(call.index)];
  check(known, "indices rise by one");
  known.args += String(args);
}

function readResponses(events: ReadEvent[]): Told {
  const told = nothing();
  const items: Json[] = [];
  let sequence = -1;
  let open: string | null = null;
  let state: "before" | "created" | "inside" | "over" = "before";
  for (const { name, body } of events) {
    check(body && name === body.type, "the event's name is its type");
    check(body.sequence_number === sequence + 1, "sequence_number rises by one");
    check(state !== "over", "nothing follows the end");
    sequence += 1;
    if (name === "response.created") {
      check(state === "before", "created is first");
      state = "created";
    } else if (name === "response.in_progress") {
      check(state === "created", "in_progress follows created");
      state = "inside";
    } else if (name === "response.output_item.added") {
      check(state === "inside" && open === null && body.output_index === items.length, "one item at a time");
      open = String((body.item as Json).id);
    } else if (name === "response.output_item.done") {
      check(open === (body.item as Json).id, "the open item is done, under its own id");
      open = null;
      items.push(body.item as Json);
    } else if (name === "response.completed" || name === "response.incomplete") {
      check(open === null, "every item is done");
      const response = body.response as Json;
      check(JSON.stringify(response.output) === JSON.stringify(items), "the response repeats its items");
      told.stop = `${String(response.status)} ${String((response.incomplete_details as Json | null)?.reason ?? "")}`.trim();
      told.usage = response.usage;
      state = "over";
    } else {
      check(body.item_id === open && body.output_index === items.length, `${name} belongs to the open item`);
      readResponsesDelta(told, name, body);
    }
  }
  check(state === "over", "the end is last");
  for (const item of items)
    if (item.type === "function_call") told.calls.push({ id: String(item.call_id), name: String(item.name), args: String(item.arguments) });
  return told;
}

function readResponsesDelta(told: Told, name: string, { delta }: Json): void {
  if (name === "response.output_text.delta") told.texts += String(delta);
  if (name === "response.reasoning_summary_text.delta") told.thinking += String(delta);
  if (name === "response.refusal.delta") told.refusal += String(delta);
}

/** What a client reads from a stream. Throws when the order violates the dialect. */
export const readOrdered: Record<Wire, (stream: string) => Told> = {
  anthropic: (stream) => readAnthropic(readEvents(stream)),
  chat: (stream) => readChat(readEvents(stream)),
  responses: (stream) => readResponses(readEvents(stream)),
};
