import { z } from "zod";
import { cacheKindNames } from "../cache-kinds.ts";

export const ClearCacheInput = z.strictObject({ kind: z.enum(cacheKindNames) });
export type ClearCacheInput = z.infer<typeof ClearCacheInput>;
