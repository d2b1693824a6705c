import type { IncomingMessage } from "node:http";
import type { Route } from "@sluice/core/dialects/dialect";
import { dialects } from "@sluice/core/dialects/registry";
import { flavourOf, matchRoute } from "@sluice/core/dialects/routes";
import { SluiceError, toSluiceError } from "@sluice/core/errors";
import type { Routing } from "./call.ts";

const noQuery = new URLSearchParams();

/** Path and query of any form of target. The path of an absolute-form target only decides in which dialect it is refused. */
function splitTarget(target: string): { path: string; search: string } {
  const plain = target.startsWith("/") ? target : (URL.parse(target)?.pathname ?? target);
  const mark = plain.indexOf("?");
  return mark < 0 ? { path: plain, search: "" } : { path: plain.slice(0, mark), search: plain.slice(mark + 1) };
}

/** Resolves the target. A known path with the wrong method or query keeps its route, so that the refusal gets a row. */
export function routeOf(req: IncomingMessage): Routing {
  const { path, search } = splitTarget(req.url ?? "");
  const method = req.method ?? "";
  const query = search === "" ? noQuery : new URLSearchParams(search);
  const dialect = dialects[flavourOf(path, req.headers)];
  let route: Route | null = null;
  let routeError: SluiceError | null = null;
  try {
    route = matchRoute(method, search === "" ? path : `${path}?${search}`, req.headers);
  } catch (error) {
    routeError = toSluiceError(error);
  }
  if (!route) {
    // `alt=sse` satisfies the only rule that matchRoute has about queries.
    route = matchRoute("POST", `${path}?alt=sse`, req.headers);
    // Posted, a name with a colon is a method of Gemini's that is not served, and no model.
    if (!route && !(method === "POST" && path.includes(":"))) route = matchRoute("GET", path, req.headers);
    if (route && !routeError) routeError = new SluiceError("method_not_allowed");
  }
  return { path, query, route, routeError, dialect: route ? dialects[route.dialect] : dialect };
}
