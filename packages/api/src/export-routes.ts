import { Readable } from "node:stream";
import { SluiceError } from "@sluice/core/errors";
import { type ExportLogsInput, exportLogs } from "@sluice/services/logs/export-logs";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { z } from "zod";
import { checkOrigin } from "./request-guard.ts";

const types = { csv: "text/csv; charset=utf-8", json: "application/json; charset=utf-8" } as const;

/** Exports at a time: each reads the database for as long as its reader takes what it gives. */
const MOST_OF_A_USER = 2;
const MOST = 8;

/**
 * Downloads: plain routes, because they stream. `?filter=` is a log filter as JSON, `?columns=` a list with commas.
 * An answer that breaks off was cut: its connection ends without the last chunk. Two of a user, and eight of all, run at a time; one more
 * is refused.
 */
export function addExportRoutes(app: FastifyInstance, publicOrigin: string): void {
  /** By user: how many are under way. */
  const running = new Map<string, number>();

  /** @throws SluiceError `too_many_exports`. */
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

  for (const format of ["csv", "json"] as const) {
    app.get(`/export/logs.${format}`, { config: { access: "key" } }, async (request, reply) => {
      // What is private is read: that is not for other sites.
      checkOrigin(request.headers, publicOrigin, false);
      const { streams, actor } = request.ctx;
      const text = await exportLogs(request.ctx, inputOf(request, format));
      const over = begin("userId" in actor ? actor.userId : "");
      const source = Readable.from(text, { objectMode: true, highWaterMark: 1 });
      const end = (): void => void source.destroy(new SluiceError("unavailable"));
      streams.add(end);
      source.once("close", () => {
        streams.delete(end);
        over();
      });
      const name = `sluice-logs-${new Date(request.ctx.clock.now()).toISOString().slice(0, 19).replaceAll(":", "")}.${format}`;
      return reply
        .type(types[format])
        .header("content-disposition", `attachment; filename="${name}"`)
        .header("x-accel-buffering", "no")
        .send(source);
    });
  }
}

/** @throws SluiceError `invalid_request` when the filter is no JSON; what it says is for the verb to check. */
function inputOf(request: FastifyRequest, format: "csv" | "json"): z.input<typeof ExportLogsInput> {
  const query = request.query as Record<string, unknown>;
  const { filter, columns, ...unknown } = query;
  const input = { ...unknown, format } as z.input<typeof ExportLogsInput>;
  if (columns !== undefined) input.columns = String(columns).split(",") as NonNullable<typeof input.columns>;
  if (filter === undefined) return input;
  try {
    return { ...input, filter: JSON.parse(String(filter)) };
  } catch {
    throw new SluiceError("invalid_request", { field: "filter" });
  }
}
