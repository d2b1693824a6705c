import { getReconciliation } from "@sluice/services/reconciliations/get-reconciliation";
import { startReconciliation } from "@sluice/services/reconciliations/start-reconciliation";
import { procedure, router } from "../trpc.ts";

export const reconciliationsRouter = router({
  newest: procedure.meta({ access: "admin" }).query(({ ctx }) => getReconciliation(ctx)),
  start: procedure.meta({ access: "admin" }).mutation(({ ctx }) => startReconciliation(ctx)),
});
