import { SluiceError } from "@sluice/core/errors";
import { type ExportLogsInput, exportLogs } from "@sluice/services/logs/export-logs";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { DownloadFormat, Downloads } from "./downloads.ts";
import { checkOrigin } from "./request-guard.ts";

/**
 * The console's downloads: plain routes, because they stream. `?filter=` is a log filter as JSON, `?columns=` a list with commas.
 */
export function addExportRoutes(app: FastifyInstance, { downloads, publicOrigin }: { downloads: Downloads; publicOrigin: string }): void {
  for (const format of ["csv", "json"] as const) {
    app.get(`/export/logs.${format}`, { config: { access: "key" } }, async (request, reply) => {
      // What is private is read: that is not for other sites.
      checkOrigin(request.headers, publicOrigin, false);
      const text = await exportLogs(request.ctx, inputOf(request, format));
      return downloads.send(request, reply, { name: "logs", format, text });
    });
  }
}

/** @throws SluiceError `invalid_request` when the filter is no JSON; what it says is for the verb to check. */
function inputOf(request: FastifyRequest, format: DownloadFormat): z.input<typeof ExportLogsInput> {
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
