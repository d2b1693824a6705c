import { hash } from "node:crypto";
import { SluiceError } from "@sluice/core/errors";
import { addressRefusal } from "@sluice/core/routing/policies";
import { keyRefusal } from "@sluice/core/routing/refusals";
import type { KeyConfig } from "@sluice/snapshot/config";
import type { Actor, Services } from "../context.ts";

type KeyActor = Extract<Actor, { kind: "key" }>;

/** No key is longer; hashing more would let strangers cause work. */
const MOST_KEY_LENGTH = 512;

/**
 * The holder of a client key, judged like the gateway does: the key must be valid and allowed from this address. The policy about clients
 * is not applied, since no model is called. An administrator's key has no special rights.
 * @throws SluiceError `invalid_key`, `key_disabled`, `key_expired`, `user_disabled`, `user_expired`, `address_not_allowed`; `unavailable`
 * when the key is not known and Postgres cannot be reached.
 */
export async function findKeyActor(services: Services, secret: string, ip: string): Promise<KeyActor> {
  if (secret.length > MOST_KEY_LENGTH) throw new SluiceError("invalid_key");
  const key = await services.snapshot.findKey(hash("sha256", secret, "hex"));
  if (!key) throw new SluiceError("invalid_key");
  return keyActor(services, key, ip);
}

/** As {@link findKeyActor}, for a key already found. @throws the same except `invalid_key` and `unavailable`. */
export function keyActor(services: Services, key: KeyConfig, ip: string): KeyActor {
  const user = services.snapshot.current().users.get(key.userId);
  const refusal = keyRefusal(key, user, services.clock.now());
  if (refusal) throw new SluiceError(refusal);
  const stopped = addressRefusal(key, user, ip);
  if (stopped) throw new SluiceError(stopped.code, { message: stopped.message });
  return { kind: "key", keyId: key.id, userId: key.userId, name: key.name, loginId: "" };
}
