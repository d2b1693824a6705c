import { Readable } from "node:stream";
import { SluiceError } from "@sluice/core/errors";
import type { FastifyReply, FastifyRequest } from "fastify";

const types = { csv: "text/csv; charset=utf-8", json: "application/json; charset=utf-8" } as const;
export type DownloadFormat = keyof typeof types;

/** Concurrent exports: each reads the database for as long as its client takes to receive it. */
const MOST_OF_A_USER = 2;
const MOST = 8;

export interface Download {
  /** `sluice-<name>-<time>.<format>`. */
  name: string;
  format: DownloadFormat;
  /** Read only by the download, so that a refusal has cost no query. */
  text: AsyncIterable<string>;
}

/** Sends exports in chunks. A failure midway closes the connection without the final chunk, so that clients see the truncation. */
export interface Downloads {
  /** @throws SluiceError `too_many_exports` beyond two concurrent exports per user, or eight in all. */
  send(request: FastifyRequest, reply: FastifyReply, download: Download): FastifyReply;
}

export function createDownloads(): Downloads {
  /** Number of running exports by user. */
  const running = new Map<string, number>();

  function begin(userId: string): () => void {
    const own = running.get(userId) ?? 0;
    const all = [...running.values()].reduce((sum, count) => sum + count, 0);
    if (own >= MOST_OF_A_USER || all >= MOST) throw new SluiceError("too_many_exports", { retryAfterS: 10 });
    running.set(userId, own + 1);
    return () => {
      const left = (running.get(userId) ?? 1) - 1;
      if (left > 0) running.set(userId, left);
      else running.delete(userId);
    };
  }

  return {
    send(request, reply, { name, format, text }) {
      const { streams, actor, clock } = request.ctx;
      const over = begin("userId" in actor ? actor.userId : "");
      const source = Readable.from(text, { objectMode: true, highWaterMark: 1 });
      const end = (): void => void source.destroy(new SluiceError("unavailable"));
      streams.add(end);
      source.once("close", () => {
        streams.delete(end);
        over();
      });
      const time = new Date(clock.now()).toISOString().slice(0, 19).replaceAll(":", "");
      return reply
        .type(types[format])
        .header("content-disposition", `attachment; filename="sluice-${name}-${time}.${format}"`)
        .header("x-accel-buffering", "no")
        .send(source);
    },
  };
}
