import { UpdateSettingsInput } from "@sluice/core/inputs/settings";
import { getSettings } from "@sluice/services/settings/get-settings";
import { updateSettings } from "@sluice/services/settings/update-settings";
import { input, procedure, router } from "../trpc.ts";

export const settingsRouter = router({
  get: procedure.meta({ access: "admin" }).query(({ ctx }) => getSettings(ctx)),
  update: procedure
    .meta({ access: "admin" })
    .input(input(UpdateSettingsInput))
    .mutation(({ ctx, input }) => updateSettings(ctx, input)),
});
