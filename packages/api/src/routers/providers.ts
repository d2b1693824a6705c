import { CreateProviderInput, TestProviderInput, UpdateProviderInput } from "@sluice/core/inputs/provider";
import { bootstrapProviders } from "@sluice/services/providers/bootstrap-providers";
import { createProvider } from "@sluice/services/providers/create-provider";
import { DeleteProviderInput, deleteProvider } from "@sluice/services/providers/delete-provider";
import { testProvider } from "@sluice/services/providers/test-provider";
import { updateProvider } from "@sluice/services/providers/update-provider";
import { input, procedure, router } from "../trpc.ts";

export const providersRouter = router({
  bootstrap: procedure.meta({ access: "admin" }).query(({ ctx }) => bootstrapProviders(ctx)),
  create: procedure
    .meta({ access: "admin" })
    .input(input(CreateProviderInput))
    .mutation(({ ctx, input }) => createProvider(ctx, input)),
  update: procedure
    .meta({ access: "admin" })
    .input(input(UpdateProviderInput))
    .mutation(({ ctx, input }) => updateProvider(ctx, input)),
  delete: procedure
    .meta({ access: "admin" })
    .input(input(DeleteProviderInput))
    .mutation(({ ctx, input }) => deleteProvider(ctx, input)),
  test: procedure
    .meta({ access: "admin" })
    .input(input(TestProviderInput))
    .mutation(({ ctx, input }) => testProvider(ctx, input)),
});
