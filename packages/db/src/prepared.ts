import { createHash } from "node:crypto";
import type { QueryConfig } from "pg";

/**
 * A statement that a connection parses and plans once and then only executes: for frequent statements that take as long to plan as to run
 * (a table with many partitions). The name is derived from the text, so names are unique. Use it for few texts: each connection keeps
 * the plan of each for its lifetime.
 */
export function prepared(text: string, values: unknown[] = []): QueryConfig {
  const name = `sluice_${createHash("sha256").update(text).digest("base64url").slice(0, 22)}`;
  return { name, text, values };
}
