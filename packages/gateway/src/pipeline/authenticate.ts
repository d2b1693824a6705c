import { hash } from "node:crypto";
import { readCredential } from "@sluice/core/dialects/credentials";
import { SluiceError } from "@sluice/core/errors";
import { addressRefusal, clientRefusal } from "@sluice/core/routing/policies";
import { keyRefusal } from "@sluice/core/routing/refusals";
import type { Config, KeyConfig } from "@sluice/snapshot/config";
import type { Call } from "../call.ts";
import type { Runtime } from "../context.ts";

/** No key is longer; hashing more would be work done for strangers. */
const maxKeyLength = 512;

/** Identifies the caller: finds the key by its hash and checks that it and its owner are in force. Runs before the body is read. */
export function authenticate(runtime: Runtime, call: Call): Promise<void> | void {
  const credential = readCredential(call.headers, call.query, call.dialect.name);
  if (credential.length > maxKeyLength) throw new SluiceError("invalid_key");
  const used = usedOf(call.config);
  const before = used.get(credential);
  if (before) {
    accept(runtime, call, before);
    return;
  }
  const sha256 = hash("sha256", credential, "hex");
  const known = call.config.keysBySha256.get(sha256);
  if (known) {
    used.set(credential, known);
    accept(runtime, call, known);
    return;
  }
  return runtime.snapshot.findKey(sha256).then((key) => {
    if (!key) throw new SluiceError("invalid_key");
    // Its user, providers and prices may be as new as the key; nothing has been decided by the older configuration yet.
    call.config = runtime.snapshot.current();
    accept(runtime, call, key);
  });
}

const usedKeys = new WeakMap<Config, Map<string, KeyConfig>>();

/** The keys that were used with this configuration, by credential: hashing it costs more than the rest of this step. */
function usedOf(config: Config): Map<string, KeyConfig> {
  let used = usedKeys.get(config);
  if (!used) {
    used = new Map();
    usedKeys.set(config, used);
  }
  return used;
}

function accept(runtime: Runtime, call: Call, key: KeyConfig): void {
  const user = call.config.users.get(key.userId);
  call.key = key;
  call.row.keyId = key.id;
  call.row.userId = key.userId;
  call.row.group = key.group;
  const refusal = keyRefusal(key, user, runtime.clock.now());
  if (refusal) throw new SluiceError(refusal);
  const stopped = addressRefusal(key, user, call.detail.clientIp) ?? clientRefusal(key, user, call.headers["user-agent"] ?? "");
  if (stopped) throw new SluiceError(stopped.code, { message: stopped.message });
}
