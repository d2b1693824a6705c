import type { Access } from "@sluice/services/access";
import type { FastifyInstance } from "fastify";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Who may call the route; `procedure`: each tRPC procedure declares it itself. */
    access?: Access | "procedure";
  }
}

export interface DeclaredRoute {
  method: string;
  url: string;
  access: Access | "procedure";
}

/** Lists routes as they are added. A route without declared access is a bug that must surface before any request: it throws. */
export function collectRoutes(app: FastifyInstance): DeclaredRoute[] {
  const routes: DeclaredRoute[] = [];
  app.addHook("onRoute", ({ method, url, config }) => {
    const access = config?.access;
    if (!access) throw new Error(`the route ${String(method)} ${url} declares no access`);
    for (const one of [method].flat()) routes.push({ method: one, url, access });
  });
  return routes;
}
