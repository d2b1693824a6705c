// The cheapest provider there can be, so that the measured core is the gateway's: bare sockets, prepared answers.
// Run as a process: node raw-upstream.ts PORT [PORT …] (pools are bounded per origin, so many streams need several). A body that
// asks for a stream gets one in two writes, one that holds "hold-open" a stream that stays open until the client leaves.
import { createServer } from "node:net";

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
/** One chunk an event, as providers send them. */
const rest = Buffer.from(`${laterEvents.map(chunked).join("")}0\r\n\r\n`);

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
        const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0);
        const total = end + 4 + length;
        if (pending.length < total) return;
        const body = pending.subarray(end + 4, total);
        pending = pending.subarray(total);
        const streams = body.includes('"stream":true');
        socket.write(streams ? opening : whole);
        if (streams && !body.includes("hold-open")) setImmediate(() => socket.write(rest));
      }
    });
  });

for (const port of process.argv.slice(2)) server().listen(Number(port), "127.0.0.1");
