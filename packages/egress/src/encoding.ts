import { type Readable, Transform } from "node:stream";
import { createGunzip, createInflate } from "node:zlib";
import { SluiceError } from "@sluice/core/errors";
import { type Collected, collect } from "./collect.ts";
import type { EgressResponse } from "./contract.ts";

/** A compressed answer may open to at most this much: a bomb costs its sender more than us. */
export const maxDecodedBytes = 64 * 1024 * 1024;

/** No answer in text is packed a hundred times over; a bomb is, a thousand times. */
const maxRatio = 100;
const ratioFromBytes = 1024 * 1024;

/** What stands between the provider's bytes and ours. */
type Coding = "identity" | "gzip" | "deflate" | "refused";

/** Only a single gzip or deflate is opened: Brotli's decoder has a published hole, and chains multiply. */
function codingOf(header: string | undefined): Coding {
  const value = (header ?? "").trim().toLowerCase();
  if (value === "" || value === "identity") return "identity";
  if (value === "gzip" || value === "x-gzip") return "gzip";
  return value === "deflate" ? "deflate" : "refused";
}

function capped(packedBytes: () => number): Transform {
  let total = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      total += chunk.length;
      if (total > maxDecodedBytes || (total > ratioFromBytes && total > maxRatio * packedBytes()))
        callback(new SluiceError("upstream_encoding", { detail: `${packedBytes()} bytes opened to more than ${total - chunk.length}` }));
      else callback(null, chunk);
    },
  });
}

/**
 * The answer as identity, and headers that say so. Of an error in an encoding that is not opened the head counts all the same:
 * its body is what fails.
 * @throws SluiceError `upstream_encoding` for a success in such an encoding; the body is destroyed then.
 */
export function decode(status: number, headers: Record<string, string>, answer: Pick<EgressResponse, "body" | "collect">): EgressResponse {
  const coding = codingOf(headers["content-encoding"]);
  if (coding === "identity" && headers["content-encoding"] === undefined) return new AsIs(status, headers, answer);
  const { "content-encoding": named, "content-length": length, ...rest } = headers;
  if (coding === "refused") {
    const error = new SluiceError("upstream_encoding", { detail: `content-encoding ${JSON.stringify(named?.slice(0, 80))}` });
    const body = answer.body.on("error", () => undefined).destroy(error);
    if (status >= 200 && status < 300) throw error;
    return { status, headers: rest, body, collect: () => Promise.reject(error) };
  }
  if (coding === "identity") return new AsIs(status, length === undefined ? rest : { ...rest, "content-length": length }, answer);
  const { body } = answer;
  const open = coding === "gzip" ? createGunzip() : createInflate();
  const out = capped(() => open.bytesWritten);
  // Not `pipeline`: it would pass zlib's own error on, and the caller must see one of the catalogue.
  body.on("error", (error) => out.destroy(error)).pipe(open);
  open.on("error", (error) => out.destroy(new SluiceError("upstream_encoding", { detail: error.message, cause: error }))).pipe(out);
  out.once("close", () => {
    body.destroy();
    open.destroy();
  });
  return { status, headers: rest, body: out, collect: (limit) => collect(out, limit) };
}

/** The body is made into a stream only for who asks for one. A class, for a literal with a getter costs several µs. */
class AsIs implements EgressResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly #answer: Pick<EgressResponse, "body" | "collect">;

  constructor(status: number, headers: Record<string, string>, answer: Pick<EgressResponse, "body" | "collect">) {
    this.status = status;
    this.headers = headers;
    this.#answer = answer;
  }

  get body(): Readable {
    return this.#answer.body;
  }

  collect(limit: number): Promise<Collected> {
    return this.#answer.collect(limit);
  }
}
