import { connect } from "node:net";

/** An answer as received; the bytes of the body are latin1. */
export interface RawReply {
  status: number;
  headers: Map<string, string>;
  body: string;
}

/** Parses answers with a body of declared length; all of our answers to bad input are of that kind. */
function readReplies(text: string): RawReply[] {
  const replies: RawReply[] = [];
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf("\r\n\r\n", at);
    if (end < 0) break;
    const [line = "", ...fields] = text.slice(at, end).split("\r\n");
    const headers = new Map(fields.map((field) => [field.split(": ")[0]?.toLowerCase() ?? "", field.split(": ")[1] ?? ""]));
    const from = end + 4;
    at = from + Number(headers.get("content-length") ?? 0);
    const status = Number(line.split(" ")[1]);
    if (status !== 100) replies.push({ status, headers, body: text.slice(from, at) });
  }
  return replies;
}

/**
 * Writes bytes on a plain connection, since no client library would send them, and returns what is received until the server closes it.
 * Input that must not be read as a second request ends with `connection: close`, so that an answer to it would show.
 */
export function exchange(url: string, bytes: string | Buffer): Promise<RawReply[]> {
  const { promise, resolve, reject } = Promise.withResolvers<RawReply[]>();
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  const parts: Buffer[] = [];
  socket.on("data", (part) => parts.push(part));
  // A server that refuses early resets what is still being sent; what it sent before counts.
  socket.on("error", () => undefined);
  socket.setTimeout(20_000, () => {
    reject(new Error(`the connection stayed open after ${JSON.stringify(bytes.toString("latin1").slice(0, 300))}`));
    socket.destroy();
  });
  socket.on("close", () => resolve(readReplies(Buffer.concat(parts).toString("latin1"))));
  socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  return promise;
}
