import { SluiceError } from "@sluice/core/errors";
import { requireAccess } from "@sluice/services/access";
import { auditDenied } from "@sluice/services/audits/audit-denied";
import type { Services } from "@sluice/services/context";
import { contextOf } from "@sluice/services/create-services";
import { findKeyActor } from "@sluice/services/logins/find-key-actor";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { DownloadFormat, Downloads } from "../downloads.ts";
import { cookieName } from "../login-cookie.ts";
import { checkOrigin } from "../request-guard.ts";
import { openApiDocument, statusOf } from "./openapi.ts";
import { basePath, isDownload, type Operation } from "./operation.ts";
import { operations } from "./operations.ts";
import { inputReader } from "./read-input.ts";

export interface RestOptions {
  services: Services;
  downloads: Downloads;
  publicOrigin: string;
}

/** Registers every operation under /api/v1, and the document. A request with a key acts as that key, whatever cookie it carries. */
export function addRestRoutes(app: FastifyInstance, { services, downloads, publicOrigin }: RestOptions): void {
  const { version, publicUrl } = services;
  const document = JSON.stringify(openApiDocument({ operations, version, publicUrl, cookieName: cookieName(publicUrl) }));
  app.get(`${basePath}/openapi.json`, { config: { access: "public" } }, async (_request, reply) =>
    reply.type("application/json; charset=utf-8").header("cache-control", "no-cache").send(document),
  );
  for (const operation of operations) addOperation(app, operation, { services, downloads, publicOrigin });
}

function addOperation(app: FastifyInstance, operation: Operation, { services, downloads, publicOrigin }: RestOptions): void {
  const { id, method, path, access } = operation;
  const read = inputReader(operation);
  app.route({
    method,
    url: basePath + path.replaceAll(/\{(\w+)\}/g, ":$1"),
    config: { access },
    onRequest: async (request) => {
      const secret = bearerKey(request);
      // Browsers send the cookie on their own, so requests from other sites are refused, even for reads.
      if (secret === null) return checkOrigin(request.headers, publicOrigin, { changesState: method !== "GET" });
      const { requestId, ip } = request.ctx;
      request.ctx = contextOf(services, await findKeyActor(services, secret, ip), { requestId, ip });
    },
    handler: async (request, reply) => {
      try {
        requireAccess(request.ctx.actor, access);
        return await answer(request, reply);
      } catch (thrown) {
        if (thrown instanceof SluiceError && thrown.code === "forbidden") auditDenied(request.ctx, id);
        throw thrown;
      }
    },
  });

  async function answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const input = read(request);
    const told = await operation.run(request.ctx, input).catch(asParameters);
    if (operation.answer === null) return reply.code(204).send();
    if (isDownload(operation.answer)) {
      const { format } = input as { format: DownloadFormat };
      return downloads.send(request, reply, { name: operation.answer.file, format, text: told as AsyncIterable<string> });
    }
    return reply.code(statusOf(operation)).send(operation.answer.parse(told));
  }
}

/** The key in `Authorization: Bearer`; null when there is none. Other schemes belong to proxies on the way. */
export function bearerKey({ url, headers }: Pick<FastifyRequest, "url" | "headers">): string | null {
  if (!url.startsWith(`${basePath}/`)) return null;
  return /^bearer +(\S+)$/i.exec(headers.authorization?.trim() ?? "")?.[1] ?? null;
}

/** In the REST API a field of the filter is a parameter of its own, and errors name it as such. */
function asParameters(thrown: unknown): never {
  if (!(thrown instanceof SluiceError) || !thrown.field?.startsWith("filter.")) throw thrown;
  const { code, message, field, cause } = thrown;
  throw new SluiceError(code, { message: message.replace(/^filter\./, ""), field: field.slice("filter.".length), cause });
}
