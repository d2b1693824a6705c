import type { DialectName } from "@sluice/core/requests";
import { makeProvider, uniqueName } from "@sluice/testing/factories";
import { callModel } from "@sluice/testing/model-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { baseUrlOf, type Harness, startHarness } from "./harness.ts";

/**
 * The effect of each fault of a provider, for each dialect, one row per fault. Each cell is tested twice, with and without a healthy
 * provider behind the faulty one. All cells share one gateway and many run at a time; breakers open at the first failure that counts.
 */
interface Fault {
  fault: string;
  /** A script of the scripted upstream, or an address. */
  does: string;
  streams: readonly boolean[];
  /** Status and final result for the client when there is no other provider. */
  alone: string;
  /** Error code of the faulty provider's attempt; empty = it succeeded. */
  code: string;
  /** Whether another provider serves instead, without anything of the faulty one being shown. */
  failsOver: boolean;
  breaker: "closed" | "open";
}

const both = [false, true];
const whole = [false];
const stream = [true];

/** It fails and another provider serves; alone, the client gets the gateway's own error. */
function failing(fault: string, does: string, streams: readonly boolean[], status: number, code: string, shown = code): Fault {
  return { fault, does, streams, alone: `${status} error ${shown}`, code, failsOver: true, breaker: "open" };
}

/** It answers with a meaningful error and another provider serves; alone, its answer is passed on. */
function answering(fault: string, does: string, status: number, code: string): Fault {
  return { fault, does, streams: both, alone: `${status} its own error`, code, failsOver: true, breaker: "open" };
}

/** The client's own error: passed on unchanged, and no other provider is asked. */
function refusing(status: number, code: string): Fault {
  const does = `error-before,${status}`;
  return { fault: `answers ${status}`, does, streams: both, alone: `${status} its own error`, code, failsOver: false, breaker: "closed" };
}

/** After the first content: reported in the stream and never shown as a proper end; what was sent is billed. */
function breaking(fault: string, does: string, code: string, told = `error ${code}`): Fault {
  return { fault, does, streams: stream, alone: `200 content, then ${told}`, code, failsOver: false, breaker: "open" };
}

/** Unusual, but not a fault. */
function harmless(fault: string, does: string, streams: readonly boolean[]): Fault {
  return { fault, does, streams, alone: "200 its answer", code: "", failsOver: false, breaker: "closed" };
}

const table: readonly Fault[] = [
  // The connection.
  failing("refuses the connection", "http://127.0.0.1:1", both, 502, "upstream_error"),
  failing("has an address that may not be called", "http://169.254.169.254", both, 502, "upstream_blocked", "upstream_error"),
  failing("says nothing, not even a head", "hang", both, 504, "upstream_timeout"),
  // Error answers.
  refusing(400, "invalid_request"),
  refusing(404, "not_found"),
  refusing(413, "body_too_large"),
  refusing(422, "invalid_request"),
  failing("answers 401", "auth", both, 502, "upstream_auth"),
  failing("answers 402", "error-before,402", both, 502, "upstream_auth"),
  failing("answers 403", "error-before,403", both, 502, "upstream_auth"),
  answering("answers 408", "error-before,408", 408, "upstream_timeout"),
  answering("answers 409", "error-before,409", 409, "upstream_error"),
  answering("answers 429", "rate-limited", 429, "upstream_rate_limited"),
  failing("answers 429 because its quota is used up", "quota", both, 502, "upstream_auth"),
  failing("answers 400 because its credit is used up", "no-credit", both, 502, "upstream_auth"),
  answering("answers 500", "error-before,500", 500, "upstream_error"),
  answering("answers 502", "error-before,502", 502, "upstream_error"),
  answering("answers 503", "error-before,503", 503, "upstream_overloaded"),
  answering("answers 504", "error-before,504", 504, "upstream_timeout"),
  answering("answers 529", "overloaded", 529, "upstream_overloaded"),
  failing("redirects", "redirect", both, 502, "upstream_error"),
  // Answers that are not answers.
  failing("answers 200 with a page", "no-answer,html", both, 502, "upstream_error"),
  failing("answers 200 with other JSON", "no-answer,json", both, 502, "upstream_error"),
  failing("answers 200 with an empty body that is cut", "cut,0,how=length", whole, 502, "upstream_truncated"),
  failing("breaks off a whole answer", "cut", whole, 502, "upstream_truncated"),
  failing("ends a whole answer early without a length", "cut,how=fin", whole, 502, "upstream_error"),
  failing("stalls within a whole answer", "stall", whole, 504, "upstream_timeout"),
  failing("answers an error event before content", "error-first", stream, 503, "upstream_overloaded"),
  failing("breaks off a stream before content", "cut,0", stream, 502, "upstream_truncated"),
  failing("ends a stream before content", "cut,0,how=fin", stream, 502, "upstream_truncated"),
  failing("stalls before content", "stall,0", stream, 504, "upstream_timeout"),
  // After the first content.
  breaking("breaks off a stream", "cut,3", "upstream_truncated"),
  breaking("ends a stream short of its length", "cut,3,how=length", "upstream_truncated"),
  breaking("ends a stream without its terminal event", "cut,3,how=fin", "upstream_truncated"),
  breaking("stalls in a stream", "stall,3", "upstream_timeout"),
  breaking("tells an error in a stream", "error-mid,3", "upstream_overloaded", "its own error"),
  breaking("sends an event that never ends", "no-answer,endless", "upstream_truncated"),
  // Encodings and line endings.
  failing("answers in Brotli", "br", both, 502, "upstream_encoding"),
  failing("answers in Zstandard", "zstd", both, 502, "upstream_encoding"),
  failing("answers in two codings", "chained", both, 502, "upstream_encoding"),
  breaking("answers with a bomb", "bomb", "upstream_encoding"),
  harmless("answers in gzip", "gzip", both),
  harmless("answers in deflate", "deflate", both),
  harmless("ends lines with CRLF", "crlf", stream),
  harmless("ends lines with CR", "cr", stream),
  harmless("begins with a byte order mark", "bom", stream),
  harmless("sends byte by byte", "onebyte", stream),
  harmless("sends a line of a megabyte", "bigline,1000000", stream),
  harmless("writes what looks like the protocol", "trick", both),
  harmless("says nothing at length", "empty", both),
];

const dialects = ["anthropic", "chat", "responses", "gemini"] as const;
type Speaks = (typeof dialects)[number];
const providerDialect = { anthropic: "anthropic", chat: "openai", responses: "openai", gemini: "gemini" } as const satisfies Record<
  Speaks,
  DialectName
>;

interface Cell {
  fault: Fault;
  speaks: Speaks;
  stream: boolean;
  hasOther: boolean;
  model: string;
  badId: string;
  sent: string;
}

/** Cells in flight at a time: more than the cells that wait for a timeout, but not too many for a busy machine. */
const lanes = 64;

let harness: Harness;
const seen = new Map<string, Promise<Record<string, unknown>>>();
const nameOf = ({ fault, speaks, stream: isStream, hasOther }: Pick<Cell, "fault" | "speaks" | "stream" | "hasOther">): string =>
  [fault.fault, speaks, isStream, hasOther].join("|");

beforeAll(async () => {
  harness = await startHarness({
    settings: {
      "upstream.firstContentTimeoutMs": 4_000,
      "upstream.idleTimeoutMs": 4_000,
      "breaker.failures": 1,
      "pricing.unknownModel": "record",
    },
    limits: { answerBytes: 1_000_000 },
    providers: [],
  });
  const cells: Cell[] = [];
  for (const fault of table)
    for (const speaks of dialects)
      for (const isStream of fault.streams)
        for (const hasOther of both) cells.push(await arrange({ fault, speaks, stream: isStream, hasOther }));
  await harness.snapshot.refresh();
  // The ones that wait for a timeout go first; the others finish meanwhile.
  const isSlow = ({ fault }: Cell): number => (/^(hang|stall)/.test(fault.does) ? 0 : 1);
  const order = cells.sort((a, b) => isSlow(a) - isSlow(b));
  const asked = new Map(order.map((cell) => [cell, Promise.withResolvers<Record<string, unknown>>()]));
  for (const [cell, { promise }] of asked) {
    seen.set(nameOf(cell), promise);
    promise.catch(() => undefined);
  }
  const waiting = asked.entries();
  const takeTurns = async (): Promise<void> => {
    for (const [cell, { resolve, reject }] of waiting) await ask(cell).then(resolve, reject);
  };
  for (let lane = 0; lane < lanes; lane++) void takeTurns();
}, 60_000);
afterAll(async () => {
  await Promise.allSettled(seen.values());
  await harness.close();
});

/** The faulty provider, and behind it perhaps a healthy one, for a model that nobody else serves. */
async function arrange(cell: Pick<Cell, "fault" | "speaks" | "stream" | "hasOther">): Promise<Cell> {
  const dialect = providerDialect[cell.speaks];
  const model = uniqueName("m");
  const { does } = cell.fault;
  const isAddress = does.startsWith("http");
  const sent = isAddress ? "faulty" : `faulty@${does}`;
  const common = { dialect, models: [model], secret: "sk-upstream", baseUrl: baseUrlOf(dialect, harness.upstream.url) };
  const bad = await makeProvider(harness.database.prisma, {
    ...common,
    ...(isAddress ? { baseUrl: baseUrlOf(dialect, does) } : {}),
    modelRedirects: { [model]: sent },
  });
  if (cell.hasOther) await makeProvider(harness.database.prisma, { ...common, priority: 1, modelRedirects: { [model]: "healthy" } });
  return { ...cell, model, badId: bad.id, sent };
}

async function ask({ speaks, stream: isStream, model, badId, sent }: Cell): Promise<Record<string, unknown>> {
  const answer = await callModel(harness.url, { dialect: speaks, model, stream: isStream, key: harness.key.secret, session: model });
  const { row, detail } = await harness.settled(answer.id);
  return {
    client: `${answer.status} ${whatCame(speaks, isStream, answer)}`,
    attempts: detail.attempts.map(({ errorCode }) => errorCode),
    row: row.state,
    breaker: harness.admission.breakers.stateOf(badId, sent),
  };
}

function whatCame(speaks: Speaks, isStream: boolean, { text, outcome, failure, status }: Awaited<ReturnType<typeof callModel>>): string {
  if (status === 200 && outcome === "complete" && failure === "") return text.includes("faulty") ? "its answer" : "the other's answer";
  const last = text.split(/\n\n/).at(-2) ?? "";
  const json = isStream && status === 200 ? last.slice(last.indexOf("data: ") + 6) : text;
  const error = errorOf(speaks, json);
  if (status !== 200) return error;
  return isStream ? `content, then ${error}` : `a part, then ${failure}`;
}

/** The error as a client of the dialect reads it. */
function errorOf(speaks: Speaks, json: string): string {
  try {
    const parsed = JSON.parse(json);
    // The last event of Responses is `response.failed`.
    const body = parsed.response ?? parsed;
    const isOurs = json.includes('"retryable"');
    if (!isOurs) return body.error || body.type === "error" ? "its own error" : "no error";
    return `error ${speaks === "gemini" ? body.error.details[0].reason.toLowerCase() : (body.error?.code ?? body.code)}`;
  } catch {
    return `no error: ${json.slice(-60)}`;
  }
}

describe.each(table)("a provider that $fault", (fault) => {
  const cells = dialects.flatMap((speaks) => fault.streams.map((isStream) => ({ speaks, isStream, mode: isStream ? "stream" : "whole" })));

  // The first test waits for everything before it, on a machine that may be busy.
  it.each(cells)("$speaks, $mode", { timeout: 120_000 }, async ({ speaks, isStream }) => {
    const row = fault.code === "" ? "done" : "error";
    const alone = { client: fault.alone, attempts: [fault.code], row, breaker: fault.breaker };
    expect(await seen.get(nameOf({ fault, speaks, stream: isStream, hasOther: false }))).toEqual(alone);
    const served = { client: "200 the other's answer", attempts: [fault.code, ""], row: "done", breaker: fault.breaker };
    expect(await seen.get(nameOf({ fault, speaks, stream: isStream, hasOther: true }))).toEqual(fault.failsOver ? served : alone);
  });
});
