import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A span as in OTLP's JSON, with its attributes as an object. */
export interface SunkSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  /** 1 internal, 2 server, 3 client. */
  kind: number;
  attributes: Record<string, unknown>;
  status: { code?: number };
  startTimeUnixNano: string;
  endTimeUnixNano: string;
}

export interface SpanSink {
  url: string;
  /** Spans received so far. */
  spans: SunkSpan[];
  /** Resource attributes of the last export. */
  resource(): Record<string, unknown>;
  stop(): Promise<void>;
}

interface KeyValue {
  key: string;
  value: Record<string, unknown>;
}

interface Export {
  resourceSpans: {
    resource: { attributes: KeyValue[] };
    scopeSpans: { spans: (Omit<SunkSpan, "attributes"> & { attributes: KeyValue[] })[] }[];
  }[];
}

/** A trace collector that accepts only OTLP over HTTP in JSON at /v1/traces. */
export async function startSpanSink(): Promise<SpanSink> {
  const spans: SunkSpan[] = [];
  let resource: Record<string, unknown> = {};
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk;
    if (request.method !== "POST" || request.url !== "/v1/traces") return response.writeHead(404).end();
    for (const { resource: of, scopeSpans } of (JSON.parse(text) as Export).resourceSpans) {
      resource = plain(of.attributes);
      for (const span of scopeSpans.flatMap((scope) => scope.spans)) spans.push({ ...span, attributes: plain(span.attributes) });
    }
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    resource: () => resource,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function plain(attributes: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value)]));
}

/** `{ stringValue }`, `{ intValue }`, …, or `{ arrayValue: { values } }`. */
function plainValue(value: Record<string, unknown>): unknown {
  const [first] = Object.values(value);
  if (!("arrayValue" in value)) return first;
  return (first as { values: Record<string, unknown>[] }).values.map(plainValue);
}
