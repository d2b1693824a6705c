import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { requestIdHeaders } from "@sluice/core/dialects/dialect";
import { dialects } from "@sluice/core/dialects/registry";
import { SluiceError } from "@sluice/core/errors";
import { newId } from "@sluice/core/ids";

interface Refusal {
  status: string;
  error: SluiceError;
}

const invalid = (message: string) => new SluiceError("invalid_request", { message });

const malformed: Refusal = { status: "400 Bad Request", error: invalid("This is not a valid HTTP request.") };
const byParser: Record<string, Refusal> = {
  HPE_HEADER_OVERFLOW: {
    status: "431 Request Header Fields Too Large",
    error: new SluiceError("too_many_headers", { message: "The headers are too large." }),
  },
  ERR_HTTP_REQUEST_TIMEOUT: { status: "408 Request Timeout", error: invalid("The request did not arrive in time.") },
};
const tunnel: Refusal = { status: "405 Method Not Allowed", error: new SluiceError("method_not_allowed") };

/** Refuses what the http.Server in front never turns into a request, in the same shape as every other error. */
export function refuseUnparsed(server: Server): void {
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === "ECONNRESET" || !socket.writable) socket.destroy();
    else refuse(socket, byParser[error.code ?? ""] ?? malformed);
  });
  // Without a listener Node closes the connection silently.
  server.on("connect", (_req: IncomingMessage, socket: Duplex) => {
    // The client may be gone before it reads this; an error without a listener would end the process.
    socket.on("error", () => socket.destroy());
    refuse(socket, tunnel);
  });
  server.on("checkExpectation", (_req: IncomingMessage, res: ServerResponse) => {
    const { headers, body } = answerTo(invalid("No other expectation than 100-continue can be met."));
    res.writeHead(417, { ...headers, connection: "close" }).end(body);
  });
}

function refuse(socket: Duplex, { status, error }: Refusal): void {
  const { headers, body } = answerTo(error);
  const lines = Object.entries({ ...headers, connection: "close" }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join("")}\r\n${body}`);
}

/** The client's dialect is unknown; OpenAI's shape is the one that most clients can read. */
function answerTo(error: SluiceError): { headers: Record<string, string | number>; body: string } {
  const id = newId();
  const body = dialects.openai.errorBody(error, id);
  const ids = Object.fromEntries(requestIdHeaders.map((name) => [name, id]));
  return { headers: { "content-type": "application/json", ...ids, "content-length": Buffer.byteLength(body) }, body };
}
