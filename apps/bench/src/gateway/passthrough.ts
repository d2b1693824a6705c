// The baseline: bare node:http + undici, forwarding every byte without processing. node passthrough.ts PORT UPSTREAM_URL [UPSTREAM_URL …]
import { createServer } from "node:http";
import { setFlagsFromString } from "node:v8";
import { Pool } from "undici";

// Like the server. Otherwise one process in five is 40 % slower for its whole life: V8 decides early that what a request allocates lives
// long, and each collection of the young generation then copies most of it. As a baseline that would flatter the gateway. With it, only
// some rounds of a short run still are.
setFlagsFromString("--no-allocation-site-pretenuring");
setFlagsFromString("--heap-growing-percent=200");

const [, , port, ...upstreams] = process.argv;
const pools = upstreams.map((upstream) => new Pool(upstream, { connections: 2_048, headersTimeout: 0, bodyTimeout: 0 }));
let turn = 0;

createServer((req, res) => {
  const chunks: Buffer[] = [];
  req.on("data", (chunk: Buffer) => chunks.push(chunk));
  req.on("end", async () => {
    const abort = new AbortController();
    res.on("close", () => abort.abort());
    try {
      const pool = pools[turn++ % pools.length];
      if (!pool) throw new Error("no upstream was named");
      const answer = await pool.request({
        path: req.url ?? "/",
        method: "POST",
        headers: { "content-type": "application/json", "x-api-key": String(req.headers["x-api-key"]), "anthropic-version": "2023-06-01" },
        body: Buffer.concat(chunks),
        signal: abort.signal,
      });
      const headers: Record<string, string> = { "content-type": String(answer.headers["content-type"]) };
      if (answer.headers["content-length"]) headers["content-length"] = String(answer.headers["content-length"]);
      res.writeHead(answer.statusCode, headers);
      answer.body.on("error", () => res.destroy());
      answer.body.pipe(res);
    } catch {
      res.destroy();
    }
  });
}).listen(Number(port), "127.0.0.1");
