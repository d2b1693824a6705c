// The cheapest possible provider, so that the measured core is the gateway's limit: bare sockets and prepared answers. Run as a process:
// node raw-upstream.ts PORT [PORT …] (connection pools are bounded per origin, so many streams need several). A request for a stream gets
// one in two writes. If its body contains "hold-open N", the answer, streamed or not, sends at least N bytes and then stays open until
// the client leaves. GET /held returns how many answers are in that state.
import { createServer, type Socket } from "node:net";

const answer = JSON.stringify({
  id: "msg_bench",
  type: "message",
  role: "assistant",
  model: "bench-model",
  content: [{ type: "text", text: "The quick brown fox jumps over the lazy dog. ".repeat(8) }],
  stop_reason: "end_turn",
  stop_sequence: null,
  usage: { input_tokens: 120, output_tokens: 80 },
});
const whole = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(answer)}\r\n\r\n${answer}`,
);

const event = (type: string, fields: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
const textDelta = (text: string): string => event("content_block_delta", { index: 0, delta: { type: "text_delta", text } });
const firstEvents = [
  event("message_start", {
    message: {
      ...{ id: "msg_bench", type: "message", role: "assistant", model: "bench-model", content: [], stop_reason: null },
      ...{ stop_sequence: null, usage: { input_tokens: 120, output_tokens: 1 } },
    },
  }),
  event("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
  textDelta("Hello"),
];
const laterEvents = [
  ...Array.from({ length: 20 }, () => textDelta("The quick brown fox ")),
  event("content_block_stop", { index: 0 }),
  event("message_delta", { delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: 80 } }),
  event("message_stop", {}),
];
const chunked = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const opening = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n${chunked(firstEvents.join(""))}`,
);
/** One chunk per event, as providers send them. */
const rest = Buffer.from(`${laterEvents.map(chunked).join("")}0\r\n\r\n`);

/** A held answer arrives a few words at a time, like a model's output. */
const PIECE_MS = 10;
const wordsOfPiece = Array.from({ length: 20 }, () => "The quick brown fox ");
const eventsOfPiece = wordsOfPiece.map(textDelta);
const beginnings = {
  stream: { begin: opening, piece: Buffer.from(eventsOfPiece.map(chunked).join("")), bytes: Buffer.byteLength(eventsOfPiece.join("")) },
  whole: {
    // A content-length that is never reached.
    begin: `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 16000000\r\n\r\n${answer.slice(0, answer.indexOf("The quick"))}`,
    piece: Buffer.from(wordsOfPiece.join("").repeat(6)),
    bytes: wordsOfPiece.join("").length * 6,
  },
};

const held = { stream: 0, whole: 0 };

/** Begins an answer and sends `bytes` more of it. */
function holdOpen(socket: Socket, kind: keyof typeof beginnings, bytes: number): void {
  const { begin, piece, bytes: pieceBytes } = beginnings[kind];
  let left = bytes;
  socket.write(begin);
  const timer = setInterval(() => {
    if (left > 0) socket.write(piece);
    left -= pieceBytes;
    if (left > 0) return;
    clearInterval(timer);
    held[kind]++;
    socket.once("close", () => held[kind]--);
  }, PIECE_MS);
  socket.once("close", () => clearInterval(timer));
}

const server = (): ReturnType<typeof createServer> =>
  createServer((socket) => {
    socket.setNoDelay(true);
    socket.on("error", () => socket.destroy());
    let pending = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      for (;;) {
        const end = pending.indexOf("\r\n\r\n");
        if (end < 0) return;
        const head = pending.toString("latin1", 0, end);
        if (head.startsWith("GET /held ")) return void socket.end(`HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${JSON.stringify(held)}`);
        const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0);
        const total = end + 4 + length;
        if (pending.length < total) return;
        const body = pending.subarray(end + 4, total);
        pending = pending.subarray(total);
        const streams = body.includes('"stream":true');
        const heldBytes = body.includes("hold-open") && /hold-open (\d+)/.exec(body.toString("latin1"))?.[1];
        if (heldBytes) holdOpen(socket, streams ? "stream" : "whole", Number(heldBytes));
        else {
          socket.write(streams ? opening : whole);
          if (streams) setImmediate(() => socket.write(rest));
        }
      }
    });
  });

for (const port of process.argv.slice(2)) server().listen(Number(port), "127.0.0.1");
