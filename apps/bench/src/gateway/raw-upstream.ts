// The cheapest provider there can be, so that the measured core is the gateway's: bare sockets, prepared answers.
// Run as a process: node raw-upstream.ts PORT [PORT …] (pools are bounded per origin, so many streams need several). A body that holds "hold-open" gets a stream that stays open until the client leaves.
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

const events = [
  `event: message_start\ndata: {"type":"message_start","message":{"id":"msg_bench","type":"message","role":"assistant","model":"bench-model","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":120,"output_tokens":1}}}\n\n`,
  `event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n`,
  `event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}\n\n`,
].join("");
const opening = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n${Buffer.byteLength(events).toString(16)}\r\n${events}\r\n`,
);

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
        socket.write(body.includes("hold-open") ? opening : whole);
      }
    });
  });

for (const port of process.argv.slice(2)) server().listen(Number(port), "127.0.0.1");
