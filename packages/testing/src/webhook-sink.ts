import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface WebhookReceived {
  headers: IncomingHttpHeaders;
  body: string;
}

/** An HTTP server on a free port that accepts every POST. */
export interface WebhookSink {
  url: string;
  received: WebhookReceived[];
  /** The status to answer from now on; `never` leaves clients waiting. */
  answers(status: number | "never"): void;
  stop(): Promise<void>;
}

/** Starts a sink that answers 200. */
export async function startWebhookSink(): Promise<WebhookSink> {
  const received: WebhookReceived[] = [];
  let status: number | "never" = 200;
  const server = createServer((req, res: ServerResponse) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("end", () => {
      received.push({ headers: req.headers, body: Buffer.concat(chunks).toString("utf8") });
      if (status !== "never") res.writeHead(status, { "content-type": "text/plain" }).end(status < 300 ? "taken" : "not now");
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    answers: (next) => {
      status = next;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
