import { SluiceError } from "@sluice/core/errors";
import { chooseCredential, coolDownAfter, firstCredential, type WeightedCredential } from "@sluice/core/routing/choose-credential";
import type { ProviderConfig, StoredCredential } from "@sluice/snapshot/config";
import type { Call } from "../call.ts";
import type { Runtime } from "../context.ts";

interface Credential extends WeightedCredential {
  /** Absent: the provider's first one. */
  readonly stored?: StoredCredential;
}

/** All credentials of a provider, cached per provider of a configuration. */
const known = new WeakMap<ProviderConfig, readonly Credential[]>();

function credentialsOf(provider: ProviderConfig): readonly Credential[] | null {
  const { credentials, secretWeight = 1 } = provider;
  if (!credentials || credentials.length === 0) return null;
  let all = known.get(provider);
  if (!all) {
    const further = credentials.map((stored) => ({ label: stored.label, weight: stored.weight, stored }));
    all = [{ label: firstCredential, weight: secretWeight }, ...further];
    known.set(provider, all);
  }
  return all;
}

/** The credential for the next attempt at a provider; null: none is left for this request, or the provider has only one. */
export function nextCredential(runtime: Runtime, call: Call, provider: ProviderConfig): Credential | null {
  const all = credentialsOf(provider);
  if (!all) return null;
  const tried = call.detail.attempts.filter(({ providerId }) => providerId === provider.id);
  return chooseCredential(all, provider.credentialOrder ?? "first", {
    used: new Set(tried.map(({ credential = "" }) => credential)),
    coolsUntilMs: (label) => runtime.admission.coolDowns.untilMs(provider.id, label),
    nowMs: runtime.clock.now(),
    random: Math.random,
  });
}

/**
 * Puts the current credential on cool-down when the error is about it.
 * @returns whether another credential of the provider can take over: then the provider itself has not failed.
 */
export function refuseCredential(runtime: Runtime, call: Call, error: SluiceError): boolean {
  const { attempt, provider } = call;
  const seconds = coolDownAfter(error.code, error.retryAfterS);
  if (seconds === null || !provider || attempt?.credential === undefined) return false;
  runtime.admission.coolDowns.cool({
    providerId: provider.id,
    label: attempt.credential,
    untilMs: runtime.clock.now() + seconds * 1_000,
    cause: `${error.code}: ${error.detail || error.message}`.slice(0, 300),
  });
  return hasSpareCredential(runtime, call, error);
}

/** Whether the attempt's provider has a credential left for this request, after an error about the one that was used. */
export function hasSpareCredential(runtime: Runtime, call: Call, error: SluiceError): boolean {
  const { attempt, provider } = call;
  if (!provider || attempt?.credential === undefined || coolDownAfter(error.code, error.retryAfterS) === null) return false;
  return nextCredential(runtime, call, provider) !== null;
}

/** A secret that cannot be decrypted is this provider's failure: the next one may serve. */
export function openCredential(runtime: Runtime, provider: ProviderConfig, credential: Credential | null): string {
  return opened(provider, () => runtime.snapshot.secretOf(provider, credential?.stored));
}

/** The URL of the provider's proxy as part of a request; empty for most. */
export function proxyOf(runtime: Runtime, provider: ProviderConfig): { proxy?: string } {
  return provider.proxy ? { proxy: opened(provider, () => runtime.snapshot.proxyOf(provider)) } : {};
}

function opened(provider: ProviderConfig, open: () => string): string {
  try {
    return open();
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new SluiceError("upstream_auth", { detail: `${provider.name}: ${detail}`, cause: error });
  }
}
