import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a provider has received. */
export interface Received {
  method: string;
  url: string;
  headers: IncomingMessage["headers"];
  body: string;
}

/** A provider that answers exactly what the test writes. */
export interface RawProvider {
  url: string;
  received: Received[];
  /** Connections that the other side closed before the answer was over. */
  abandoned: number;
  answer: (res: ServerResponse, received: Received) => void;
  close(): Promise<void>;
}

/** Starts a provider on a free port. */
export async function startRawProvider(answer: RawProvider["answer"]): Promise<RawProvider> {
  const server = createServer(async (req, res) => {
    const parts: Buffer[] = [];
    for await (const part of req as AsyncIterable<Buffer>) parts.push(part);
    const received = { method: req.method ?? "", url: req.url ?? "", headers: req.headers, body: Buffer.concat(parts).toString("utf8") };
    provider.received.push(received);
    res.on("close", () => {
      if (!res.writableFinished) provider.abandoned += 1;
    });
    provider.answer(res, received);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const provider: RawProvider = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: [],
    abandoned: 0,
    answer,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return provider;
}

const sse = (event: string, data: unknown): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

/** Anthropic's events up to the first content. */
export const anthropicStart =
  sse("message_start", {
    type: "message_start",
    message: {
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "claude-fake",
      content: [],
      stop_reason: null,
      usage: { input_tokens: 10, output_tokens: 1 },
    },
  }) + sse("content_block_start", { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } });

/** One piece of text. */
export const anthropicText = (text: string): string =>
  sse("content_block_delta", { type: "content_block_delta", index: 0, delta: { type: "text_delta", text } });

/** Anthropic's events after the last content. */
export const anthropicEnd =
  sse("content_block_stop", { type: "content_block_stop", index: 0 }) +
  sse("message_delta", { type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: 5 } }) +
  sse("message_stop", { type: "message_stop" });
