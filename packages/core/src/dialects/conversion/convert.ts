import { SluiceError } from "../../errors.ts";
import type { Reading, StreamMeter } from "../dialect.ts";
import { asRecord, type JsonRecord, jsonText } from "../json.ts";
import type { AnswerContext } from "./answer-context.ts";
import { answerEvents } from "./answer-events.ts";
import { readAnthropicAnswer, writeAnthropicAnswer } from "./anthropic-answer.ts";
import { readAnthropicRequest } from "./anthropic-request-read.ts";
import { writeAnthropicRequest } from "./anthropic-request-write.ts";
import { anthropicStreamReader, anthropicStreamWriter } from "./anthropic-stream.ts";
import { readChatAnswer, writeChatAnswer } from "./chat-answer.ts";
import { readChatRequest } from "./chat-request-read.ts";
import { writeChatRequest } from "./chat-request-write.ts";
import { chatStreamReader, chatStreamWriter } from "./chat-stream.ts";
import { ConvertingMeter } from "./converting-meter.ts";
import { parseExact } from "./exact-json.ts";
import type { Answer, Conversation, Wire } from "./intermediate.ts";
import { readResponsesAnswer, writeResponsesAnswer } from "./responses-answer.ts";
import { readResponsesRequest } from "./responses-request-read.ts";
import { writeResponsesRequest } from "./responses-request-write.ts";
import { responsesStreamReader, responsesStreamWriter } from "./responses-stream.ts";
import type { StreamEventReader, StreamEventWriter } from "./stream-events.ts";
import { restoreToolNames, restoringToolNames, shortenToolNames } from "./tool-names.ts";

/** What each dialect implements. */
interface Converter {
  readRequest(body: JsonRecord): Conversation;
  writeRequest(conversation: Conversation): JsonRecord;
  readAnswer(body: JsonRecord): Answer;
  writeAnswer(answer: Answer, context: AnswerContext): JsonRecord;
  streamReader(): StreamEventReader;
  streamWriter(context: AnswerContext): StreamEventWriter;
}

const converters: Record<Wire, Converter> = {
  anthropic: {
    readRequest: readAnthropicRequest,
    writeRequest: writeAnthropicRequest,
    readAnswer: readAnthropicAnswer,
    writeAnswer: writeAnthropicAnswer,
    streamReader: anthropicStreamReader,
    streamWriter: anthropicStreamWriter,
  },
  chat: {
    readRequest: readChatRequest,
    writeRequest: writeChatRequest,
    readAnswer: readChatAnswer,
    writeAnswer: writeChatAnswer,
    streamReader: chatStreamReader,
    streamWriter: chatStreamWriter,
  },
  responses: {
    readRequest: readResponsesRequest,
    writeRequest: writeResponsesRequest,
    readAnswer: readResponsesAnswer,
    writeAnswer: writeResponsesAnswer,
    streamReader: responsesStreamReader,
    streamWriter: responsesStreamWriter,
  },
};

export interface ConversionOptions {
  from: Wire;
  to: Wire;
  /** The client's body, already known to be a JSON object. */
  body: Buffer;
  /** Sent upstream, after the provider's redirects. */
  model: string;
  requestId: string;
  nowMs: number;
}

/** One request converted for one provider, and the way back for its answer. */
export interface Conversion {
  /** The body to send upstream. */
  body: Buffer;
  /** Fields of the client's request that were left out, named as in that request. */
  dropped: readonly string[];
  /** Converts a whole answer to the client's dialect, as a stream if one was requested; null when the body is not a JSON object. */
  answer(body: Buffer, reading: Reading): Buffer | null;
  /** A meter that reads the provider's stream with the provider's own meter and returns the client's stream. */
  meter(inner: StreamMeter, errorEvent: (error: SluiceError) => string): StreamMeter;
}

/**
 * Converts a request for a provider of another dialect.
 * @throws SluiceError not_convertible (names the field), invalid_request.
 */
export function convert({ from, to, body, model, requestId, nowMs }: ConversionOptions): Conversion {
  const value = asRecord(parseExact(body.toString("utf8")));
  if (!value) throw new SluiceError("invalid_json");
  const source = converters[from];
  const target = converters[to];
  const conversation = source.readRequest(value);
  const asked = conversation.model;
  conversation.model = model;
  const { reasoning, tools, includesUsage, stream } = conversation;
  const showsThinking = reasoning !== null && reasoning.effort !== "none";
  // Only what the answer needs is kept while it streams: neither the request nor its tools.
  const customTools = new Set(tools.filter(({ schema }) => schema === null).map(({ name }) => name));
  const namespaces = new Map(tools.flatMap(({ name, namespace }) => (namespace === undefined ? [] : [[name, namespace] as const])));
  const shortNames = shortenToolNames(conversation, to);
  const written = target.writeRequest(conversation);
  const contextOf = (reading: Reading): AnswerContext => ({
    requestId,
    createdS: Math.floor(nowMs / 1000),
    model: asked,
    includesUsage,
    showsThinking,
    customTools,
    namespaces,
    usage: () => (reading.usageReported ? reading.usage : reading.estimate),
  });
  return {
    body: Buffer.from(JSON.stringify(written)),
    dropped: [...new Set(conversation.dropped)],
    answer(bytes, reading) {
      const answer = asRecord(parseSafely(bytes));
      if (!answer) return null;
      const context = contextOf(reading);
      const read = restoreToolNames(target.readAnswer(answer), shortNames);
      if (!stream) return Buffer.from(JSON.stringify(source.writeAnswer(read, context)));
      const writer = source.streamWriter(context);
      return Buffer.from(
        answerEvents(read)
          .map((event) => writer.write(event))
          .join(""),
      );
    },
    meter(inner, errorEvent) {
      const writer = source.streamWriter(contextOf(inner.reading));
      return new ConvertingMeter(inner, { reader: restoringToolNames(target.streamReader(), shortNames), writer, errorEvent });
    },
  };
}

function parseSafely(bytes: Buffer): unknown {
  try {
    return parseExact(jsonText(bytes));
  } catch {
    return null;
  }
}
