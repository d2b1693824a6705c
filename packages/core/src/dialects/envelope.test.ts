import { describe, expect, test } from "vitest";
import type { Route } from "./dialect.ts";
import { scanObject } from "./json-scan.ts";
import { dialects } from "./registry.ts";

const chat: Route = { dialect: "openai", endpoint: "chat" };
const messages: Route = { dialect: "anthropic", endpoint: "messages" };
const generate: Route = { dialect: "gemini", endpoint: "generateContent", model: "gemini-x", stream: true };

const read = (route: Route, body: string | Buffer, headers = {}) =>
  dialects[route.dialect].readEnvelope(Buffer.from(body as string), route, headers);
const nested = (depth: number) => `{"model":"m","x":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;

describe("bad bodies are refused", () => {
  test.each<[name: string, body: string | Buffer, code: string]>([
    ["empty", "", "invalid_json"],
    ["blank", "  \n", "invalid_json"],
    ["cut off", '{"model":"m"', "invalid_json"],
    ["open string", '{"model":"m', "invalid_json"],
    ["trailing comma", '{"model":"m",}', "invalid_json"],
    ["single quotes", "{'model':'m'}", "invalid_json"],
    ["NaN", '{"model":"m","x":NaN}', "invalid_json"],
    ["two objects", '{"model":"m"}{"model":"n"}', "invalid_json"],
    ["byte order mark", '\uFEFF{"model":"m"}', "invalid_json"],
    ["raw control character", '{"model":"m\u0001"}', "invalid_json"],
    ["invalid UTF-8", Buffer.from([0x7b, 0x22, 0x6d, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d]), "invalid_json"],
    ["overlong UTF-8", Buffer.concat([Buffer.from('{"model":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')]), "invalid_json"],
    ["UTF-8 surrogate", Buffer.concat([Buffer.from('{"model":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]), "invalid_json"],
    ["array", '["model","model"]', "invalid_request"],
    ["string", '"model"', "invalid_request"],
    ["null", "null", "invalid_request"],
    ["65 levels", nested(65), "too_deep"],
    ["5,000 levels", nested(5000), "too_deep"],
    ["100,000 open brackets", `{"model":"m","x":${"[".repeat(100_000)}`, "too_deep"],
    ["model twice", '{"model":"a","model":"b"}', "duplicate_field"],
    ["model twice, one escaped", '{"model":"a","mod\\u0065l":"b"}', "duplicate_field"],
    ["model twice, all escaped", '{"\\u006d\\u006f\\u0064\\u0065\\u006c":"a","model":"b"}', "duplicate_field"],
    ["model twice in other case", '{"model":"a","Model":"b"}', "duplicate_field"],
    ["stream twice", '{"model":"a","stream":false,"stream":true}', "duplicate_field"],
    ["stream twice by a long s", '{"model":"a","stream":false,"\\u017ftream":true}', "duplicate_field"],
    ["no model", '{"messages":[]}', "missing_model"],
    ["only Model", '{"Model":"m"}', "missing_model"],
    ["nested model only", '{"x":{"model":"m"}}', "missing_model"],
    ["model number", '{"model":4}', "missing_model"],
    ["model null", '{"model":null}', "missing_model"],
    ["model empty", '{"model":""}', "missing_model"],
    ["model blank", '{"model":"  "}', "missing_model"],
    ["model with a newline", '{"model":"a\\nb"}', "invalid_request"],
    ["model with NUL", '{"model":"a\\u0000"}', "invalid_request"],
    ["model with a lone surrogate", '{"model":"a\\ud800"}', "invalid_request"],
    ["model of 300 characters", `{"model":"${"m".repeat(300)}"}`, "invalid_request"],
    ["stream text", '{"model":"m","stream":"true"}', "invalid_request"],
    ["stream number", '{"model":"m","stream":1}', "invalid_request"],
  ])("%s", (_name, body, code) => {
    for (const route of [chat, messages]) expect(() => read(route, body)).toThrow(expect.objectContaining({ code }));
  });
});

test("an answer in the background, which nobody could fetch here, is refused by the field's name; off it passes", () => {
  const responses: Route = { dialect: "openai", endpoint: "responses" };
  for (const background of ["true", '"yes"', "1"]) {
    expect(() => read(responses, `{"model":"m","background":${background}}`)).toThrow(
      expect.objectContaining({ code: "invalid_request", status: 400, field: "background" }),
    );
  }
  for (const background of ["false", "null"]) expect(read(responses, `{"model":"m","background":${background}}`).model).toBe("m");
  // It has a meaning only in the Responses API.
  expect(read(chat, '{"model":"m","background":true}').model).toBe("m");
});

describe("good bodies are read", () => {
  test.each<[name: string, body: string, expected: object]>([
    ["64 levels", nested(64), { model: "m", stream: false }],
    ["spaces and new lines", '\n { "stream" :\ttrue ,\r\n "model" : "m" } ', { model: "m", stream: true }],
    ["stream null", '{"model":"m","stream":null}', { stream: false }],
    ["escaped name", '{"mod\\u0065l":"m"}', { model: "m" }],
    ["escaped value", '{"model":"\\u006d/x"}', { model: "m/x" }],
    ["model words inside text", '{"model":"m","x":"\\"model\\":\\"n\\",\\"stream\\":true"}', { model: "m", stream: false }],
    ["nested model", '{"x":{"model":"n","model":"o"},"model":"m","y":[{"stream":1}]}', { model: "m" }],
    ["__proto__", '{"__proto__":{"model":"x"},"model":"m"}', { model: "m" }],
    ["string that ends in a backslash", '{"x":"a\\\\","model":"m"}', { model: "m" }],
  ])("%s", (_name, body, expected) => {
    const envelope = read(chat, body);
    expect(envelope).toMatchObject(expected);
    const [start, end] = envelope.modelSpan ?? [0, 0];
    expect(JSON.parse(Buffer.from(body).toString("utf8", start, end))).toBe(envelope.model);
  });

  test("Gemini's model and streaming are the path's, whatever the body says", () => {
    expect(read(generate, '{"contents":[],"model":7,"stream":"x"}')).toMatchObject({ model: "gemini-x", stream: true, modelSpan: null });
  });

  test("a 1 h cache ttl is found wherever blocks are", () => {
    const cache = '"cache_control":{"type":"ephemeral","ttl":"1h"}';
    for (const body of [
      `{"model":"m",${cache}}`,
      `{"model":"m","system":[{"type":"text","text":"x",${cache}}]}`,
      `{"model":"m","tools":[{"name":"t",${cache}}]}`,
      `{"model":"m","messages":[{"role":"user","content":[{"type":"tool_result","content":[{"type":"text","text":"x",${cache}}]}]}]}`,
    ]) {
      expect(read(messages, body).cacheTtl).toBe("1h");
    }
    expect(read(messages, '{"model":"m","messages":[{"role":"user","content":"\\"ttl\\":\\"1h\\""}]}').cacheTtl).toBe("none");
  });

  test("an image in base64 is not counted as text", () => {
    const image = Buffer.alloc(300_000, 7).toString("base64");
    const url = `data:image/png;base64,${image}`;
    expect(read(chat, JSON.stringify({ model: "m", x: image })).inputEstimate).toBeLessThan(2000);
    expect(read(chat, JSON.stringify({ model: "m", x: url })).inputEstimate).toBeLessThan(2000);
    expect(read(chat, JSON.stringify({ model: "m", x: "word ".repeat(8000) })).inputEstimate).toBeGreaterThan(9000);
    expect(read(chat, JSON.stringify({ model: "m", x: "中文".repeat(8000) })).inputEstimate).toBeGreaterThan(9000);
  });
});

describe("rewriting keeps every other byte", () => {
  const rewrite = (body: string, change: { model?: string; includeUsage?: boolean }, route = chat) => {
    const bytes = Buffer.from(body);
    return dialects[route.dialect].rewriteBody(bytes, read(route, body), change).toString();
  };

  test.each<[body: string, change: { model?: string; includeUsage?: boolean }, expected: string]>([
    ['{ "model" : "a" , "n":1.0e+2}', { model: 'x"y' }, '{ "model" : "x\\"y" , "n":1.0e+2}'],
    ['{"a":12345678901234567890.10,"model":"中"}', { model: "b" }, '{"a":12345678901234567890.10,"model":"b"}'],
    ['{"model":"a"}', { includeUsage: true }, '{"stream_options":{"include_usage":true},"model":"a"}'],
    [' {"model":"a","stream_options":null}', { includeUsage: true }, ' {"model":"a","stream_options":{"include_usage":true}}'],
    ['{"stream_options":{ },"model":"a"}', { includeUsage: true }, '{"stream_options":{"include_usage":true },"model":"a"}'],
    ['{"stream_options":{"x":1.0},"model":"a"}', { includeUsage: true }, '{"stream_options":{"include_usage":true,"x":1.0},"model":"a"}'],
    [
      '{"stream_options":{"include_usage":false,"x":{}},"model":"a"}',
      { includeUsage: true, model: "b" },
      '{"stream_options":{"include_usage":true,"x":{}},"model":"b"}',
    ],
    [
      '{"model":"a","stream_options":{"include\\u005fusage":null}}',
      { includeUsage: true },
      '{"model":"a","stream_options":{"include\\u005fusage":true}}',
    ],
  ])("%s", (body, change, expected) => {
    expect(rewrite(body, change)).toBe(expected);
    JSON.parse(expected);
  });

  test("nothing to change is the same buffer", () => {
    const bytes = Buffer.from('{"model":"a"}');
    expect(dialects.openai.rewriteBody(bytes, read(chat, bytes), { model: "a" })).toBe(bytes);
    expect(dialects.gemini.rewriteBody(bytes, read(generate, bytes), { model: "b", includeUsage: true })).toBe(bytes);
  });
});

describe("the scanner agrees with a parse of the whole text", () => {
  const random = (() => {
    let seed = 7;
    return (n: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((seed / 2 ** 31) * n);
    };
  })();
  const strings = ["", "model", 'a"b', "\\", "\\\\", "{[,:]}", "中文😀", "x".repeat(40), `${"y".repeat(31)}\\"`, "\u2028"];
  function value(depth: number): unknown {
    switch (random(depth > 4 ? 4 : 6)) {
      case 0:
        return strings[random(strings.length)];
      case 1:
        return random(1000) - 500.25;
      case 2:
        return [true, false, null][random(3)];
      case 3:
        return strings[random(strings.length)];
      case 4:
        return Array.from({ length: random(4) }, () => value(depth + 1));
      default:
        return Object.fromEntries(Array.from({ length: random(4) }, () => [strings[random(strings.length)] ?? "", value(depth + 1)]));
    }
  }

  test("names and spans of 2,000 objects, spelled in several ways", () => {
    for (let round = 0; round < 2000; round++) {
      const object = Object.fromEntries(Array.from({ length: random(6) }, (_, i) => [`${strings[random(strings.length)]}${i}`, value(0)]));
      let text = JSON.stringify(object, null, ["", " ", "\t\r\n"][random(3)]);
      if (random(2)) text = text.replace(/[^\x20-\x7e\s]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
      const bytes = Buffer.from(text);
      const { members } = scanObject(bytes);
      expect(members.map(({ name }) => name)).toEqual(Object.keys(object));
      for (const { name, start, end } of members) expect(JSON.parse(bytes.toString("utf8", start, end))).toEqual(object[name]);
    }
  });

  test("random bytes end, and never in another error than too_deep", () => {
    for (let round = 0; round < 2000; round++) {
      const bytes = Buffer.from(Array.from({ length: random(60) }, () => '{}[]",:\\ a1'.charCodeAt(random(11))));
      scanObject(bytes);
    }
  });
});
