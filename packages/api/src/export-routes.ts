import { SluiceError } from "@sluice/core/errors";
import { type ExportLogsInput, exportLogs } from "@sluice/services/logs/export-logs";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { DownloadFormat, Downloads } from "./downloads.ts";
import { checkOrigin } from "./request-guard.ts";

/**
 * The console's downloads, as plain routes because they stream. `?filter=` is a log filter as JSON, `?columns=` a comma-separated list.
 */
export function addExportRoutes(app: FastifyInstance, { downloads, publicOrigin }: { downloads: Downloads; publicOrigin: string }): void {
  for (const format of ["csv", "json"] as const) {
    app.get(`/export/logs.${format}`, { config: { access: "key" } }, async (request, reply) => {
      // The data is private, so other sites must not load it.
      checkOrigin(request.headers, publicOrigin, { changesState: false });
      const text = await exportLogs(request.ctx, inputOf(request, format));
      return downloads.send(request, reply, { name: "logs", format, text });
    });
  }
}

/** @throws SluiceError `invalid_request` when the filter is not JSON; the verb validates its content. */
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
