import {
  CreateProviderInput,
  OverrideProviderInput,
  SimulateRoutingInput,
  TestProviderInput,
  UpdateProviderInput,
  UpdateProvidersInput,
} from "@sluice/core/inputs/provider";
import { bootstrapProviders } from "@sluice/services/providers/bootstrap-providers";
import { CloneProviderInput, cloneProvider } from "@sluice/services/providers/clone-provider";
import { createProvider } from "@sluice/services/providers/create-provider";
import { DeleteProviderInput, deleteProvider } from "@sluice/services/providers/delete-provider";
import { GetProviderInput, getProvider } from "@sluice/services/providers/get-provider";
import { getProviderImpact, ProviderImpactInput } from "@sluice/services/providers/get-provider-impact";
import { listProviderHistory, ProviderHistoryInput } from "@sluice/services/providers/list-provider-history";
import { overrideProvider } from "@sluice/services/providers/override-provider";
import { ResetBreakerInput, resetBreaker } from "@sluice/services/providers/reset-breaker";
import { RestoreProviderInput, restoreProvider } from "@sluice/services/providers/restore-provider";
import { simulateRouting } from "@sluice/services/providers/simulate-routing";
import { testProvider } from "@sluice/services/providers/test-provider";
import { updateProvider } from "@sluice/services/providers/update-provider";
import { updateProviders } from "@sluice/services/providers/update-providers";
import { input, procedure, router } from "../trpc.ts";

const admin = procedure.meta({ access: "admin" });

export const providersRouter = router({
  bootstrap: admin.query(({ ctx }) => bootstrapProviders(ctx)),
  get: admin.input(input(GetProviderInput)).query(({ ctx, input }) => getProvider(ctx, input)),
  history: admin.input(input(ProviderHistoryInput)).query(({ ctx, input }) => listProviderHistory(ctx, input)),
  impact: admin.input(input(ProviderImpactInput)).query(({ ctx, input }) => getProviderImpact(ctx, input)),
  simulate: admin.input(input(SimulateRoutingInput)).query(({ ctx, input }) => simulateRouting(ctx, input)),
  create: admin.input(input(CreateProviderInput)).mutation(({ ctx, input }) => createProvider(ctx, input)),
  clone: admin.input(input(CloneProviderInput)).mutation(({ ctx, input }) => cloneProvider(ctx, input)),
  update: admin.input(input(UpdateProviderInput)).mutation(({ ctx, input }) => updateProvider(ctx, input)),
  updateMany: admin.input(input(UpdateProvidersInput)).mutation(({ ctx, input }) => updateProviders(ctx, input)),
  override: admin.input(input(OverrideProviderInput)).mutation(({ ctx, input }) => overrideProvider(ctx, input)),
  resetBreaker: admin.input(input(ResetBreakerInput)).mutation(({ ctx, input }) => resetBreaker(ctx, input)),
  restore: admin.input(input(RestoreProviderInput)).mutation(({ ctx, input }) => restoreProvider(ctx, input)),
  delete: admin.input(input(DeleteProviderInput)).mutation(({ ctx, input }) => deleteProvider(ctx, input)),
  test: admin.input(input(TestProviderInput)).mutation(({ ctx, input }) => testProvider(ctx, input)),
});
