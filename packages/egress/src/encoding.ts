import { type Readable, Transform } from "node:stream";
import { createGunzip, createInflate } from "node:zlib";
import { SluiceError } from "@sluice/core/errors";
import { type Collected, collect } from "./collect.ts";
import type { EgressResponse } from "./contract.ts";

/** Maximum decompressed size of an answer, so that a bomb costs its sender more than us. */
export const maxDecodedBytes = 64 * 1024 * 1024;

/** Text never compresses a hundredfold; a bomb does, a thousandfold. */
const maxRatio = 100;
const ratioFromBytes = 1024 * 1024;

/** The content coding between the provider's bytes and ours. */
type Coding = "identity" | "gzip" | "deflate" | "refused";

/** Only a single gzip or deflate is decoded: Brotli's decoder has a published vulnerability, and chained codings multiply. */
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
 * The answer in identity coding, with matching headers. An error answer in an unsupported encoding keeps its head; only reading its
 * body fails.
 * @throws SluiceError `upstream_encoding` for a success in such an encoding; then the body is destroyed.
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
  // Not `pipeline`: it would pass on zlib's own error, but the caller must get one from the catalogue.
  body.on("error", (error) => out.destroy(error)).pipe(open);
  open.on("error", (error) => out.destroy(new SluiceError("upstream_encoding", { detail: error.message, cause: error }))).pipe(out);
  out.once("close", () => {
    body.destroy();
    open.destroy();
  });
  return { status, headers: rest, body: out, collect: (limit) => collect(out, limit) };
}

/** Creates the stream only when `body` is used. A class, because an object literal with a getter costs several µs. */
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
