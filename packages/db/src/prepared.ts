import { createHash } from "node:crypto";
import type { QueryConfig } from "pg";

/**
 * A statement that a connection parses and plans once and then only runs: for those that are asked again and again, and take as long to
 * plan as to run (a table in many partitions). Its name is made of its text, so that no two have one name. Texts must be few: each
 * connection keeps the plan of each for as long as it lives.
 */
export function prepared(text: string, values: unknown[] = []): QueryConfig {
  const name = `sluice_${createHash("sha256").update(text).digest("base64url").slice(0, 22)}`;
  return { name, text, values };
}
