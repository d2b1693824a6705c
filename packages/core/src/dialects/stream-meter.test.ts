import { describe, expect, test } from "vitest";
import type { StreamMeter } from "./dialect.ts";
import { dialects } from "./registry.ts";
import { type RecordedStream, recordedStreams } from "./test/recorded-streams.ts";

function meterOf(recorded: RecordedStream, dropUsageChunk = false): StreamMeter {
  const dialect = dialects[recorded.route.dialect];
  const envelope = dialect.readEnvelope(Buffer.from(JSON.stringify(recorded.request)), recorded.route, {});
  return dialect.meterStream(recorded.route, envelope, { dropUsageChunk });
}

function run(meter: StreamMeter, stream: Buffer, slice: number): { fed: string; rest: string } {
  const fed: Buffer[] = [];
  for (let at = 0; at < stream.length; at += slice) fed.push(...meter.feed(stream.subarray(at, at + slice)));
  return { fed: Buffer.concat(fed).toString(), rest: Buffer.concat(meter.rest()).toString() };
}

const lineEnds: readonly [name: string, end: string][] = [
  ["LF", "\n"],
  ["CRLF", "\r\n"],
  ["CR", "\r"],
];
const slices = [...Array.from({ length: 64 }, (_, i) => i + 1), 100, 1000, 1_000_000];

for (const recorded of recordedStreams) {
  describe(recorded.name, () => {
    for (const [name, end] of lineEnds) {
      const whole = recorded.stream.replaceAll("\r\n", "\n").replaceAll("\n", end);
      const terminal = recorded.terminal.replaceAll("\n", end);

      test(`passes byte for byte at every slice size, with ${name} line ends`, () => {
        for (const slice of slices) {
          const meter = meterOf(recorded);
          const { fed, rest } = run(meter, Buffer.from(whole), slice);
          expect(fed + rest).toBe(whole);
          expect(fed).not.toContain(terminal);
          expect(rest).not.toBe("");
          expect(meter.reading).toMatchObject({
            usage: recorded.usage,
            usageReported: true,
            complete: true,
            hasContent: true,
            anomaly: false,
            failure: null,
          });
        }
      });
    }

    test("passes with a byte order mark", () => {
      const meter = meterOf(recorded);
      const whole = `\uFEFF${recorded.stream}`;
      const { fed, rest } = run(meter, Buffer.from(whole), 7);
      expect(fed + rest).toBe(whole);
      expect(meter.reading).toMatchObject({ usage: recorded.usage, complete: true });
    });

    test("is not complete without its terminal event, and keeps no fragment for after", () => {
      const bytes = Buffer.from(recorded.stream);
      const terminalAt = bytes.lastIndexOf(recorded.terminal);
      for (const end of [terminalAt, Math.floor(terminalAt / 2)]) {
        const meter = meterOf(recorded);
        const { fed, rest } = run(meter, bytes.subarray(0, end), 50);
        expect(meter.reading.complete).toBe(false);
        expect(recorded.stream.startsWith(fed)).toBe(true);
        expect(rest).toBe("");
        expect(/(\r?\n){2}$/.test(fed)).toBe(true);
      }
    });

    test("returns subarrays of what it was fed when no event is cut", () => {
      const meter = meterOf(recorded);
      const chunk = Buffer.from(recorded.stream);
      for (const part of [...meter.feed(chunk), ...meter.rest()]) expect(part.buffer).toBe(chunk.buffer);
    });
  });
}

describe("the usage chunk that only we asked for", () => {
  const recorded = recordedStreams.find(({ usageChunk }) => usageChunk) as RecordedStream;
  for (const [name, end] of lineEnds) {
    test(`is withheld and read, with ${name} line ends`, () => {
      const whole = recorded.stream.replaceAll("\n", end);
      const withheld = (recorded.usageChunk ?? "").replaceAll("\n", end);
      for (const slice of slices) {
        const meter = meterOf(recorded, true);
        const { fed, rest } = run(meter, Buffer.from(whole), slice);
        expect(fed + rest).toBe(whole.replace(withheld, ""));
        expect(meter.reading.usage).toEqual(recorded.usage);
      }
    });
  }

  test("passes when it also carries choices", () => {
    const meter = meterOf(recorded, true);
    const both = 'data: {"choices":[{"delta":{"content":"x"}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\ndata: [DONE]\n\n';
    const { fed, rest } = run(meter, Buffer.from(both), 1000);
    expect(fed + rest).toBe(both);
    expect(meter.reading.usage).toMatchObject({ input: 1, output: 2 });
  });
});

describe("large events", () => {
  const chat = recordedStreams[1] as RecordedStream;
  const responses = recordedStreams[2] as RecordedStream;

  for (const bytes of [100_000, 1_000_000, 3_000_000]) {
    test(`a line of ${bytes} bytes passes in order and is not held back`, () => {
      const meter = meterOf(chat);
      const big = `data: {"choices":[{"delta":{"content":"${"é".repeat(bytes / 2)}"}}]}\n\n`;
      const stream = Buffer.from(`${big}data: [DONE]\n\n`);
      let held = 0;
      let seen = 0;
      const out: Buffer[] = [];
      for (let at = 0; at < stream.length; at += 16_384) {
        const chunk = stream.subarray(at, at + 16_384);
        seen += chunk.length;
        const parts = meter.feed(chunk);
        out.push(...parts);
        held = Math.max(held, seen - out.reduce((sum, part) => sum + part.length, 0));
      }
      expect(Buffer.concat([...out, ...meter.rest()]).equals(stream)).toBe(true);
      expect(held).toBeLessThanOrEqual(64 * 1024);
      expect(meter.reading).toMatchObject({ complete: true, hasContent: true });
      expect(meter.reading.estimate.output).toBeGreaterThan((bytes / 4) * 0.6);
      expect(meter.reading.estimate.output).toBeLessThan((bytes / 4) * 1.4);
    });
  }

  test("a terminal event above the holding size keeps its end back", () => {
    const meter = meterOf(responses);
    const end = `event: response.completed\ndata: {"type":"response.completed","response":{"model":"m","output":[{"text":"${"a".repeat(
      200_000,
    )}"}],"usage":{"input_tokens":5,"output_tokens":6}}}\n\n`;
    const { fed, rest } = run(meter, Buffer.from(end), 16_384);
    expect(fed + rest).toBe(end);
    expect(fed.endsWith("\n\n")).toBe(false);
    expect(meter.reading).toMatchObject({ complete: true, usageReported: true, usage: { input: 5, output: 6 } });
  });

  for (const [image, size] of [
    ["a response with a picture", 3_000_000],
    ["a response with a small picture", 80_000],
  ] as const) {
    test(`${image}: usage is read although the event is never kept whole`, () => {
      const meter = meterOf(responses);
      const data = Buffer.alloc(size, 5).toString("base64");
      const done = `event: response.output_item.done\ndata: {"type":"response.output_item.done","item":{"type":"image_generation_call","result":"${data}"}}\n\n`;
      const end = `event: response.completed\ndata: {"type":"response.completed","response":{"usage":null,"instructions":"\\"usage\\":{\\"input_tokens\\":9}","tools":[{"usage":{"input_tokens":8}}],"output":[{"result":"${data}","usage":{"input_tokens":7}}],"model":"m\u00e9","usage":{"input_tokens": 50,"output_tokens":60,"input_tokens_details":{"cached_tokens":20}}}}\n\n`;
      const { fed, rest } = run(meter, Buffer.from(done + end), 10_007);
      expect(fed + rest).toBe(done + end);
      expect(fed.endsWith("}}}\n\n")).toBe(false);
      expect(meter.reading).toMatchObject({
        complete: true,
        usageReported: true,
        usage: { input: 30, output: 60, cacheRead: 20 },
        upstreamModel: "m\u00e9",
      });
      expect(meter.reading.estimate.output).toBeLessThan(5000);
    });
  }

  test("a Gemini picture with its finish in the same event", () => {
    const meter = meterOf(recordedStreams[3] as RecordedStream);
    const data = Buffer.alloc(1_500_000, 5).toString("base64");
    const event = `data: {"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"${data}"}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":6,"candidatesTokenCount":1290}}\r\n\r\n`;
    const { fed, rest } = run(meter, Buffer.from(event), 16_384);
    expect(fed + rest).toBe(event);
    expect(rest).not.toBe("");
    expect(meter.reading).toMatchObject({ complete: true, hasContent: true, usage: { input: 6, output: 1290 } });
  });

  test("an unfinished event that has half gone is closed, so that an error can follow", () => {
    const meter = meterOf(chat);
    const { fed, rest } = run(meter, Buffer.from(`data: {"choices":[{"delta":{"content":"${"a".repeat(100_000)}`), 10_000);
    expect(fed.length).toBeGreaterThan(100_000);
    expect(rest).toBe("\n\n");
  });

  test("one-byte chunks of a long event cost bytes, not objects", () => {
    const meter = meterOf(chat);
    const stream = Buffer.from(`data: {"choices":[{"delta":{"content":"${"a".repeat(60_000)}"}}]}\n\n`);
    const out: Buffer[] = [];
    for (const byte of stream) out.push(...meter.feed(Buffer.of(byte)));
    expect(out.length).toBe(1);
    expect(Buffer.concat(out).equals(stream)).toBe(true);
  });
});

describe("odd ends", () => {
  const [anthropic, chat, , gemini] = recordedStreams as readonly [RecordedStream, RecordedStream, RecordedStream, RecordedStream];

  test("a terminal event without its empty line counts", () => {
    for (const [recorded, cut] of [
      [chat, 2],
      [chat, 1],
      [anthropic, 1],
      [gemini, 2],
    ] as const) {
      const bytes = Buffer.from(recorded.stream);
      const meter = meterOf(recorded);
      const { fed, rest } = run(meter, bytes.subarray(0, bytes.length - cut), 9);
      expect(meter.reading.complete).toBe(true);
      expect(fed + rest).toBe(bytes.toString("utf8", 0, bytes.length - cut));
    }
  });

  test("half a terminal event does not count as one, small or large", () => {
    const responses = recordedStreams[2] as RecordedStream;
    for (const bytes of [10, 100_000]) {
      const meter = meterOf(responses);
      const half = `event: response.completed\ndata: {"type":"response.completed","response":{"output":"${"a".repeat(bytes)}`;
      const { rest } = run(meter, Buffer.from(half), 10_000);
      expect([rest.trim(), meter.reading.complete]).toEqual(["", false]);
    }
  });

  test("Responses without names of events, which clients read by the type alone, may have it behind other fields", () => {
    const responses = recordedStreams[2] as RecordedStream;
    const typeLast = (json: string): string => {
      const { type, ...rest } = JSON.parse(json) as { type: string };
      return JSON.stringify({ ...rest, type });
    };
    const stream = responses.stream.replace(/^event: .*\n/gm, "").replace(/^data: (.*)$/gm, (_, json: string) => `data: ${typeLast(json)}`);
    for (const slice of [1, 50, 1_000_000]) {
      const meter = meterOf(responses);
      const { fed, rest } = run(meter, Buffer.from(stream), slice);
      expect(fed + rest).toBe(stream);
      expect(rest).toContain("response.completed");
      expect(meter.reading).toMatchObject({ usage: responses.usage, usageReported: true, complete: true, hasContent: true });
    }
  });

  test("a finishReason on every Gemini event holds back the last one only", () => {
    const meter = meterOf(gemini);
    const part = (text: string) =>
      `data: {"candidates":[{"content":{"parts":[{"text":"${text}"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1}}\r\n\r\n`;
    const fed = [part("a"), part("b"), part("c")].map((text) => Buffer.concat(meter.feed(Buffer.from(text))).toString());
    expect(fed).toEqual(["", part("a"), part("b")]);
    expect(Buffer.concat(meter.rest()).toString()).toBe(part("c"));
    expect(meter.reading.complete).toBe(true);
  });

  test("of several Gemini candidates the last one to finish ends the answer", () => {
    const meter = meterOf(gemini);
    const part = (index: number, finish = {}) =>
      `data: ${JSON.stringify({ candidates: [{ index, content: { parts: [{ text: "a" }] }, ...finish }] })}\r\n\r\n`;
    const stop = { finishReason: "STOP" };
    for (const event of [part(0), part(1), part(0, stop), part(1)]) {
      expect(Buffer.concat(meter.feed(Buffer.from(event))).toString()).toBe(event);
      expect(meter.reading.complete).toBe(false);
    }
    expect(meter.feed(Buffer.from(part(1, stop)))).toEqual([]);
    expect(meter.reading.complete).toBe(true);
  });

  test("what follows the terminal event is kept back with it", () => {
    const meter = meterOf(gemini);
    const finish = 'data: {"candidates":[{"finishReason":"STOP"}]}\n\n';
    const usage = 'data: {"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":4}}\n\n';
    expect(meter.feed(Buffer.from(finish))).toEqual([]);
    expect(meter.feed(Buffer.from(usage))).toEqual([]);
    expect(Buffer.concat(meter.rest()).toString()).toBe(finish + usage);
    expect(meter.reading).toMatchObject({ complete: true, usageReported: true, usage: { input: 3, output: 4 } });
  });

  test("a chat stream that its provider closes after the finish reason is complete without [DONE]", () => {
    const told = (finish: string | null, delta: object) =>
      `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
    const text = told(null, { content: "a" }) + told(null, { content: "b" });
    const stop = told("stop", {});
    const usage = 'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}\n\n';
    const end = (stream: string, inOrder = true) => {
      const meter = meterOf(chat);
      const parts = [...meter.feed(Buffer.from(stream)), ...meter.rest(inOrder)];
      return { complete: meter.reading.complete, text: Buffer.concat(parts).toString() };
    };
    for (const stream of [text + stop, text + stop + usage, `${text}${stop}\n`, (text + stop).trimEnd(), told("length", { content: "a" })])
      expect(end(stream), stream).toEqual({ complete: true, text: stream });
    expect(end(text).complete).toBe(false);
    // Broken off, or closed in the middle of an event.
    expect(end(text + stop, false).complete).toBe(false);
    expect(end(text + stop + usage.slice(0, 40)).complete).toBe(false);
    expect(end(`${text}${stop}data: {"error":{"message":"no"}}\n\n`).complete).toBe(false);
  });

  test("a flood behind the terminal event does not fill memory", () => {
    const meter = meterOf(chat);
    meter.feed(Buffer.from("data: [DONE]\n\n"));
    let out = 0;
    for (let i = 0; i < 100; i++) for (const part of meter.feed(Buffer.alloc(10_000, ":x\n\n"))) out += part.length;
    expect(out).toBeGreaterThan(500_000);
  });
});

describe("differential: events cut at random agree with a parse of the whole text", () => {
  test("boundaries and fields", () => {
    let seed = 42;
    const random = (n: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((seed / 2 ** 31) * n);
    };
    const pieces = [
      "data: x",
      "data:y",
      ":c",
      "event: content_block_delta",
      "id: 3",
      "retry",
      "data",
      "\n",
      "\r",
      "\r\n",
      "\n\n",
      "data: [DONE]",
      " ",
    ];
    for (let round = 0; round < 2000; round++) {
      const text = Array.from({ length: random(20) }, () => pieces[random(pieces.length)]).join("");
      const meter = meterOf(recordedStreams[1] as RecordedStream);
      const bytes = Buffer.from(text);
      let fed = "";
      for (let at = 0; at < bytes.length; ) {
        const size = 1 + random(6);
        fed += Buffer.concat(meter.feed(bytes.subarray(at, at + size))).toString();
        at += size;
      }
      // The rule for a whole text: split it into lines; an empty line dispatches the event; data lines are joined.
      const lines = text.split(/\r\n|\r|\n/);
      const ended = lines.slice(0, -1);
      let payload: string[] = [];
      let isDone = false;
      for (const line of ended) {
        if (line === "") {
          if (payload.join("\n").trim() === "[DONE]") isDone = true;
          payload = [];
        } else if (line.startsWith("data:")) payload.push(line.slice(5).replace(/^ /, ""));
      }
      if (isDone) expect(meter.reading.complete, JSON.stringify(text)).toBe(true);
      const rest = Buffer.concat(meter.rest()).toString();
      expect(text.startsWith(fed + rest), JSON.stringify(text)).toBe(true);
      if (isDone) expect(fed + rest === text || !/(\r\n|\r|\n){2}$/.test(text)).toBe(true);
    }
  });
});
