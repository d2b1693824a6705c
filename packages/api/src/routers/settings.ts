import { PageInput } from "@sluice/core/inputs/page";
import { RollBackSettingsInput, SaveSettingsInput } from "@sluice/core/inputs/settings";
import { getSettings } from "@sluice/services/settings/get-settings";
import { rollBackSettings } from "@sluice/services/settings/roll-back-settings";
import { settingSources } from "@sluice/services/settings/setting-sources";
import { settingsHistory } from "@sluice/services/settings/settings-history";
import { updateSettings } from "@sluice/services/settings/update-settings";
import { input, procedure, router } from "../trpc.ts";

export const settingsRouter = router({
  get: procedure.meta({ access: "admin" }).query(({ ctx }) => getSettings(ctx)),
  sources: procedure.meta({ access: "admin" }).query(({ ctx }) => settingSources(ctx)),
  update: procedure
    .meta({ access: "admin" })
    .input(input(SaveSettingsInput))
    .mutation(({ ctx, input }) => updateSettings(ctx, input)),
  history: procedure
    .meta({ access: "admin" })
    .input(input(PageInput.optional()))
    .query(({ ctx, input }) => settingsHistory(ctx, input)),
  rollBack: procedure
    .meta({ access: "admin" })
    .input(input(RollBackSettingsInput))
    .mutation(({ ctx, input }) => rollBackSettings(ctx, input)),
});
