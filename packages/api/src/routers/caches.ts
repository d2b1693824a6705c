import { ClearCacheInput } from "@sluice/core/inputs/cache";
import { clearCache } from "@sluice/services/caches/clear-cache";
import { resetCacheFigures } from "@sluice/services/caches/reset-cache-figures";
import { input, procedure, router } from "../trpc.ts";

const admin = procedure.meta({ access: "admin" });

export const cachesRouter = router({
  clear: admin.input(input(ClearCacheInput)).mutation(({ ctx, input }) => clearCache(ctx, input)),
  resetFigures: admin.mutation(({ ctx }) => resetCacheFigures(ctx)),
});
