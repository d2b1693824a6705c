import { DismissQuarantinedInput, ListQuarantineInput, QuarantinedInput } from "@sluice/core/inputs/quarantine";
import { dismissQuarantined } from "@sluice/services/quarantine/dismiss-quarantined";
import { getQuarantined } from "@sluice/services/quarantine/get-quarantined";
import { listQuarantine } from "@sluice/services/quarantine/list-quarantine";
import { releaseQuarantined } from "@sluice/services/quarantine/release-quarantined";
import { input, procedure, router } from "../trpc.ts";

const admin = procedure.meta({ access: "admin" });

export const quarantineRouter = router({
  list: admin.input(input(ListQuarantineInput.optional())).query(({ ctx, input }) => listQuarantine(ctx, input)),
  get: admin.input(input(QuarantinedInput)).query(({ ctx, input }) => getQuarantined(ctx, input)),
  release: admin.input(input(QuarantinedInput)).mutation(({ ctx, input }) => releaseQuarantined(ctx, input)),
  dismiss: admin.input(input(DismissQuarantinedInput)).mutation(({ ctx, input }) => dismissQuarantined(ctx, input)),
});
