import { ListAuditInput } from "@sluice/core/inputs/audit";
import { listAudit } from "@sluice/services/audits/list-audit";
import { input, procedure, router } from "../trpc.ts";

export const auditRouter = router({
  list: procedure
    .meta({ access: "admin" })
    .input(input(ListAuditInput.optional()))
    .query(({ ctx, input }) => listAudit(ctx, input)),
});
