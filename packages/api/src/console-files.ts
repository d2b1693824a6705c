import { readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { packedFiles } from "./packed-files.ts";
import { pagePreloads } from "./page-preloads.ts";

const missing = `<!doctype html><meta charset="utf-8"><title>Sluice</title>
<h1>The console has not been built</h1><p>Run <code>npm run build</code> and load this page again. The API and the gateway are running.</p>`;

/** A path that is not in the list may have been built since: minimum interval between two listings of the folder. */
const LIST_AGAIN_MS = 500;
const YEAR_S = 365 * 24 * 3_600;

/**
 * Serves the built console: hashed assets are cached for a year, everything else is revalidated, and index.html is the answer for every
 * page of the application. The list of files is kept in memory, so a stray path costs no disk access; a build under a running server is
 * noticed when one of its new files is first requested.
 */
export async function serveConsole(app: FastifyInstance, root: string): Promise<void> {
  await app.register(fastifyStatic, { root, serve: false, decorateReply: true, cacheControl: false });
  const files = await keptListing(root);
  const packed = packedFiles(root);
  const preloads = pagePreloads(root);

  async function send(path: string, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const immutable = path.startsWith("assets/");
    reply.header("cache-control", immutable ? `public, max-age=${YEAR_S}, immutable` : "no-cache");
    const available = packed.encodings.filter(({ suffix }) => files.has(path + suffix));
    if (available.length === 0) return reply.sendFile(path);
    reply.header("vary", "accept-encoding");
    const found = await packed.find(path, available, request.headers["accept-encoding"]);
    if (!found) return reply.sendFile(path);
    reply.header("etag", found.tag).header("content-encoding", found.encoding);
    if (request.headers["if-none-match"] === found.tag) return reply.code(304).send();
    return reply.type(found.type).send(found.body);
  }

  app.get("/*", { config: { access: "public" } }, async (request: FastifyRequest, reply) => {
    const path = decodePath(request.url);
    // `/api` itself is a page of the console; only paths below it belong to the API.
    const isPage = path === "" || path === "index.html" || (!/^(assets|trpc|auth)(\/|$)|^api\//.test(path) && acceptsPage(path, request));
    const wanted = path !== "" && files.has(path) ? path : isPage ? "index.html" : path;
    if (wanted === "index.html") {
      const link = await preloads(path, request.headers["accept-language"]);
      if (link !== "") reply.header("link", link);
    }
    if (files.has(wanted) || (/^assets\/[\w.-]+$|^index\.html$/.test(wanted) && (await files.listAgain()).has(wanted)))
      return send(wanted, request, reply);
    if (isPage) return reply.code(503).header("cache-control", "no-cache").type("text/html; charset=utf-8").send(missing);
    reply.callNotFound();
    return reply;
  });
}

/** Browsers ask for HTML; curl and uptime monitors accept anything, and get the page unless the path looks like a file. */
function acceptsPage(path: string, { headers: { accept = "*/*" } }: FastifyRequest): boolean {
  return accept.includes("text/html") || (accept.includes("*/*") && !/\.[^/]*$/.test(path));
}

/** The path below the root; empty for the root itself and for undecodable paths. */
function decodePath(url: string): string {
  try {
    return decodeURIComponent(url.split("?", 1)[0] ?? "").replace(/^\/+/, "");
  } catch {
    return "";
  }
}

interface Listing {
  has(path: string): boolean;
  /** Lists the folder again, once LIST_AGAIN_MS have passed since the last time; concurrent callers share the result. */
  listAgain(): Promise<Listing>;
}

async function keptListing(root: string): Promise<Listing> {
  let files = await listFiles(root);
  let listedAt = performance.now();
  let running: Promise<Listing> | null = null;
  async function list(): Promise<Listing> {
    await sleep(Math.max(0, listedAt + LIST_AGAIN_MS - performance.now()));
    files = await listFiles(root);
    listedAt = performance.now();
    running = null;
    return listing;
  }
  const listing: Listing = {
    has: (path) => files.has(path),
    listAgain() {
      running ??= list();
      return running;
    },
  };
  return listing;
}

/** Paths below `root`, with `/`; without the hidden folders that the build uses for itself. */
async function listFiles(root: string): Promise<Set<string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  return new Set(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll(sep, "/"))
      .filter((path) => !path.startsWith(".")),
  );
}
