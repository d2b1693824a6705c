import { z } from "zod";
import { instantField } from "./instant.ts";
import { PageInput } from "./page.ts";
import { sameId } from "./uuid.ts";

/** Which audit entries are shown; absent fields do not filter. */
export const AuditFilter = z.strictObject({
  /** A user's id. */
  actorId: z.string().max(64).overwrite(sameId).optional(),
  actorKind: z.enum(["user", "config", "cli", "boot", "key"]).optional(),
  /** Exact match: `key.create`. */
  action: z.string().max(80).optional(),
  targetKind: z.string().max(40).optional(),
  targetId: z.string().max(200).overwrite(sameId).optional(),
  outcome: z.enum(["done", "denied"]).optional(),
  fromMs: instantField.optional(),
  toMs: instantField.optional(),
});
export type AuditFilter = z.infer<typeof AuditFilter>;

export const ListAuditInput = z.strictObject({ ...PageInput.shape, filter: AuditFilter.default({}) });
