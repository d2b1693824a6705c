import { readdir } from "node:fs/promises";
import { sep } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

const missing = `<!doctype html><meta charset="utf-8"><title>Sluice</title>
<h1>The console has not been built</h1><p>Run <code>npm run build</code> and load this page again. The API and the gateway are running.</p>`;

/** While nothing is built, look again this often at most. */
const LOOK_AGAIN_MS = 2_000;
const YEAR_MS = 365 * 24 * 3_600_000;

/**
 * The built console: hashed assets for a year, everything else checked again each time, and index.html for every page
 * of the application. Which files exist is read once, so that a stray path costs no disk access.
 */
export async function serveConsole(app: FastifyInstance, root: string): Promise<void> {
  await app.register(fastifyStatic, { root, serve: false, decorateReply: true, cacheControl: false });
  let files = await listFiles(root);
  let lookedAt = performance.now();

  const index = async (reply: FastifyReply): Promise<FastifyReply> => {
    if (!files.has("index.html") && performance.now() - lookedAt > LOOK_AGAIN_MS) {
      lookedAt = performance.now();
      files = await listFiles(root);
    }
    reply.header("cache-control", "no-cache");
    if (files.has("index.html")) return reply.sendFile("index.html");
    return reply.code(503).type("text/html; charset=utf-8").send(missing);
  };

  app.get("/*", { config: { access: "public" } }, async (request: FastifyRequest, reply) => {
    const path = decodePath(request.url);
    if (path !== "" && path !== "index.html" && files.has(path)) {
      const immutable = path.startsWith("assets/");
      return reply.header("cache-control", immutable ? `public, max-age=${YEAR_MS / 1000}, immutable` : "no-cache").sendFile(path);
    }
    const isPage = !/^(assets|trpc|auth)(\/|$)/.test(path) && acceptsHtml(request);
    if (path === "" || path === "index.html" || isPage) return index(reply);
    reply.callNotFound();
    return reply;
  });
}

function acceptsHtml(request: FastifyRequest): boolean {
  return (request.headers.accept ?? "").includes("text/html");
}

/** The path under the root, '' for the root itself and for what cannot be decoded. */
function decodePath(url: string): string {
  try {
    return decodeURIComponent(url.split("?", 1)[0] ?? "").replace(/^\/+/, "");
  } catch {
    return "";
  }
}

async function listFiles(root: string): Promise<Set<string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  return new Set(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath}${sep}${entry.name}`.slice(root.length + 1).replaceAll(sep, "/")),
  );
}
