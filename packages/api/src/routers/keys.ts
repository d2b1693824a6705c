import { CreateKeyInput, UpdateKeyInput } from "@sluice/core/inputs/key";
import { createKey } from "@sluice/services/keys/create-key";
import { ListKeysInput, listKeys } from "@sluice/services/keys/list-keys";
import { RevokeKeyInput, revokeKey } from "@sluice/services/keys/revoke-key";
import { updateKey } from "@sluice/services/keys/update-key";
import { input, procedure, router } from "../trpc.ts";

export const keysRouter = router({
  list: procedure
    .meta({ access: "user" })
    .input(input(ListKeysInput.optional()))
    .query(({ ctx, input }) => listKeys(ctx, input)),
  create: procedure
    .meta({ access: "user" })
    .input(input(CreateKeyInput))
    .mutation(({ ctx, input }) => createKey(ctx, input)),
  update: procedure
    .meta({ access: "user" })
    .input(input(UpdateKeyInput))
    .mutation(({ ctx, input }) => updateKey(ctx, input)),
  revoke: procedure
    .meta({ access: "user" })
    .input(input(RevokeKeyInput))
    .mutation(({ ctx, input }) => revokeKey(ctx, input)),
});
