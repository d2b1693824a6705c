import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import type { FastifyInstance } from "fastify";

const pack = promisify(gzip);

/** Smaller answers fit into one packet anyway. */
const LEAST_BYTES = 1_400;

/**
 * Compresses procedure answers with gzip if the client accepts it, which makes a page of the log ten times smaller. Event streams are
 * written separately, console files have compressed copies, and exports stream.
 */
export function packAnswers(app: FastifyInstance): void {
  app.addHook("onSend", async (request, reply, payload: unknown) => {
    if (!(payload instanceof Response) || !payload.body) return payload;
    if (payload.headers.get("content-type")?.split(";", 1)[0] !== "application/json") return payload;
    const text = Buffer.from(await payload.arrayBuffer());
    reply.code(payload.status);
    for (const [name, value] of payload.headers) reply.header(name, value);
    const vary = payload.headers.get("vary");
    reply.header("vary", vary ? `${vary}, accept-encoding` : "accept-encoding");
    if (text.length < LEAST_BYTES || !/\bgzip\b(?!\s*;\s*q=0(\.0*)?(,|$))/.test(request.headers["accept-encoding"] ?? "")) return text;
    reply.header("content-encoding", "gzip").removeHeader("content-length");
    return pack(text, { level: constants.Z_BEST_SPEED });
  });
}
