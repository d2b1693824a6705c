import { Readable } from "node:stream";
import { SluiceError } from "@sluice/core/errors";
import { type ExportLogsInput, exportLogs } from "@sluice/services/logs/export-logs";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { z } from "zod";
import { checkOrigin } from "./request-guard.ts";

const types = { csv: "text/csv; charset=utf-8", json: "application/json; charset=utf-8" } as const;

/**
 * Downloads: plain routes, because they stream. `?filter=` is a log filter as JSON, `?columns=` a list with commas.
 * An answer that breaks off was cut: its connection ends without the last chunk.
 */
export function addExportRoutes(app: FastifyInstance, publicOrigin: string): void {
  for (const format of ["csv", "json"] as const) {
    app.get(`/export/logs.${format}`, { config: { access: "user" } }, async (request, reply) => {
      // What is private is read: that is not for other sites.
      checkOrigin(request.headers, publicOrigin, false);
      const { streams } = request.ctx;
      const source = Readable.from(await exportLogs(request.ctx, inputOf(request, format)), { objectMode: true, highWaterMark: 1 });
      const end = (): void => void source.destroy(new SluiceError("unavailable"));
      streams.add(end);
      source.once("close", () => streams.delete(end));
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
