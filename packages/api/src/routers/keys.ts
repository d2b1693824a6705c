import { CheckKeyInput, CreateKeyInput, ListKeysInput, PageKeysInput, RotateKeyInput, UpdateKeyInput } from "@sluice/core/inputs/key";
import { checkKey } from "@sluice/services/keys/check-key";
import { createKey } from "@sluice/services/keys/create-key";
import { getKeyLimits, KeyLimitsInput } from "@sluice/services/keys/get-key-limits";
import { listKeys, pageKeys } from "@sluice/services/keys/list-keys";
import { RevokeKeyInput, revokeKey } from "@sluice/services/keys/revoke-key";
import { rotateKey } from "@sluice/services/keys/rotate-key";
import { updateKey } from "@sluice/services/keys/update-key";
import { input, procedure, router } from "../trpc.ts";

export const keysRouter = router({
  list: procedure
    .meta({ access: "key" })
    .input(input(ListKeysInput.optional()))
    .query(({ ctx, input }) => listKeys(ctx, input)),
  page: procedure
    .meta({ access: "user" })
    .input(input(PageKeysInput.optional()))
    .query(({ ctx, input }) => pageKeys(ctx, input)),
  limits: procedure
    .meta({ access: "key" })
    .input(input(KeyLimitsInput))
    .query(({ ctx, input }) => getKeyLimits(ctx, input)),
  check: procedure
    .meta({ access: "key" })
    .input(input(CheckKeyInput))
    .query(({ ctx, input }) => checkKey(ctx, input)),
  create: procedure
    .meta({ access: "user" })
    .input(input(CreateKeyInput))
    .mutation(({ ctx, input }) => createKey(ctx, input)),
  update: procedure
    .meta({ access: "user" })
    .input(input(UpdateKeyInput))
    .mutation(({ ctx, input }) => updateKey(ctx, input)),
  rotate: procedure
    .meta({ access: "user" })
    .input(input(RotateKeyInput))
    .mutation(({ ctx, input }) => rotateKey(ctx, input)),
  revoke: procedure
    .meta({ access: "user" })
    .input(input(RevokeKeyInput))
    .mutation(({ ctx, input }) => revokeKey(ctx, input)),
});
