import { SluiceError } from "@sluice/core/errors";
import type { Call } from "../call.ts";
import type { Runtime } from "../context.ts";

const jsonType = /^application\/json(?: *; *charset *= *"?utf-8"?)?$/i;

/** Reads the body: JSON, not compressed, within the limits of one request and of the process. */
export function receive(runtime: Runtime, call: Call): Promise<void> | void {
  if (call.row.endpoint === "models") return;
  const { headers } = call;
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding.trim().toLowerCase() !== "identity") throw new SluiceError("unsupported_encoding");
  if (!jsonType.test(headers["content-type"]?.trim() ?? "")) throw new SluiceError("unsupported_media_type");
  const declared = Number(headers["content-length"] ?? 0);
  if (declared > runtime.limits.bodyBytes) throw new SluiceError("body_too_large");
  reserve(runtime, call, declared);
  return readBody(runtime, call);
}

/** Returns the body's share to the process's budget. */
export function releaseBody(runtime: Runtime, call: Call): void {
  runtime.stats.bodyBytes -= call.bodyBytesReserved;
  call.bodyBytesReserved = 0;
}

function reserve(runtime: Runtime, call: Call, total: number): void {
  const more = total - call.bodyBytesReserved;
  if (more <= 0) return;
  if (runtime.stats.bodyBytes + more > runtime.limits.bodiesBytes) {
    throw new SluiceError("overloaded", { detail: "too many bytes of request bodies in flight", retryAfterS: 1 });
  }
  runtime.stats.bodyBytes += more;
  call.bodyBytesReserved = total;
}

function readBody(runtime: Runtime, call: Call): Promise<void> {
  const { req } = call;
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    let over = false;
    let lengthBefore = 0;
    const onPeriod = (): void => {
      if (length - lengthBefore < runtime.limits.bodyPeriodBytes) {
        stop();
        // Nor does it keep its connection.
        call.res.shouldKeepAlive = false;
        reject(new SluiceError("invalid_request", { message: "The body arrived too slowly." }));
        return;
      }
      lengthBefore = length;
      period = runtime.deadlines.add(runtime.limits.bodyPeriodMs, onPeriod);
    };
    let period = runtime.deadlines.add(runtime.limits.bodyPeriodMs, onPeriod);
    const stop = (): void => {
      over = true;
      runtime.deadlines.cancel(period);
      call.abort.removeEventListener("abort", onGone);
    };
    const onGone = (): void => {
      if (over) return;
      stop();
      // We cut the call while the body was still arriving, or the client left.
      if (call.cut) reject(call.cut);
      else {
        call.gone = true;
        resolve();
      }
    };
    // The listeners stay attached: removing four of them costs more than keeping them.
    req.on("data", (chunk: Buffer) => {
      if (over) return;
      length += chunk.length;
      call.detail.requestBytes = length;
      try {
        if (length > runtime.limits.bodyBytes) throw new SluiceError("body_too_large");
        reserve(runtime, call, length);
        parts.push(chunk);
      } catch (error) {
        stop();
        reject(error);
      }
    });
    req.on("end", () => {
      if (over) return;
      stop();
      call.body = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts, length);
      resolve();
    });
    req.on("error", onGone);
    // A closed request also closes the response, which `handle` turns into an abort.
    call.abort.addEventListener("abort", onGone);
  });
}
