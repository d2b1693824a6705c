import type { Access } from "@sluice/services/access";
import type { AnyRouter } from "@trpc/server";

export interface DeclaredProcedure {
  path: string;
  type: "query" | "mutation" | "subscription";
  access: Access;
}

const levels: readonly string[] = ["public", "key", "user", "admin"] satisfies Access[];

/** Lists the procedures of a router with their access. @throws Error naming every procedure that declares none. */
export function declaredAccess(router: AnyRouter): DeclaredProcedure[] {
  const found = Object.entries(
    router._def.procedures as Record<string, { _def: { type: DeclaredProcedure["type"]; meta?: { access?: unknown } } }>,
  ).map(([path, { _def }]) => ({ path, type: _def.type, access: _def.meta?.access as Access }));
  const open = found.filter(({ access }) => !levels.includes(access));
  if (open.length > 0) throw new Error(`procedures without declared access: ${open.map(({ path }) => path).join(", ")}`);
  return found;
}
