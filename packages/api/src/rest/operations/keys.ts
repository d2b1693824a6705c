import { CheckKeyInput, CreateKeyInput, ListKeysInput, PageKeysInput, RotateKeyInput, UpdateKeyInput } from "@sluice/core/inputs/key";
import { checkKey } from "@sluice/services/keys/check-key";
import { createKey } from "@sluice/services/keys/create-key";
import { getKeyLimits, KeyLimitsInput } from "@sluice/services/keys/get-key-limits";
import { listKeys, pageKeys } from "@sluice/services/keys/list-keys";
import { RevokeKeyInput, revokeKey } from "@sluice/services/keys/revoke-key";
import { rotateKey } from "@sluice/services/keys/rotate-key";
import { updateKey } from "@sluice/services/keys/update-key";
import { createdKey, keyCheck, keyLimits, keyPage, keyView, numberedKeyPage } from "../answers/keys.ts";
import { type Operation, operation } from "../operation.ts";

const tag = "Keys";

export const keyOperations: readonly Operation[] = [
  operation({
    ...{ id: "listKeys", at: "GET /keys", access: "key", tag },
    summary: "List keys by cursor; users see their own",
    ...{ input: ListKeysInput, answer: keyPage, verb: listKeys },
  }),
  operation({
    ...{ id: "pageKeys", at: "GET /keys/pages", access: "user", tag },
    summary: "List keys by page number, with totals",
    ...{ input: PageKeysInput, answer: numberedKeyPage, verb: pageKeys },
  }),
  operation({
    ...{ id: "createKey", at: "POST /keys", access: "user", tag },
    summary: "Create a key; only this response contains its secret",
    ...{ input: CreateKeyInput, answer: createdKey, verb: createKey },
  }),
  operation({
    ...{ id: "updateKey", at: "PATCH /keys/{id}", access: "user", tag },
    summary: "Update the given fields",
    ...{ input: UpdateKeyInput, answer: keyView, verb: updateKey },
  }),
  operation({
    ...{ id: "rotateKey", at: "POST /keys/{id}/rotate", access: "user", tag },
    summary: "Rotate a key's secret; the old one can keep working for a while",
    ...{ input: RotateKeyInput, answer: createdKey, verb: rotateKey },
  }),
  operation({
    ...{ id: "revokeKey", at: "DELETE /keys/{id}", access: "user", tag },
    summary: "Revoke a key permanently",
    ...{ input: RevokeKeyInput, answer: keyView, verb: revokeKey },
  }),
  operation({
    ...{ id: "getKeyLimits", at: "GET /keys/{id}/limits", access: "key", tag },
    summary: "Get the limits of a key, their usage and when they reset",
    ...{ input: KeyLimitsInput, answer: keyLimits, verb: getKeyLimits },
  }),
  operation({
    ...{ id: "checkKey", at: "GET /keys/{id}/check", access: "key", tag },
    summary: "Check whether a key can call a model now, and what blocks it",
    ...{ input: CheckKeyInput, answer: keyCheck, verb: checkKey },
  }),
];
