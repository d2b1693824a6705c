import { SluiceError } from "@sluice/core/errors";
import type { CreateProviderInput } from "@sluice/core/inputs/provider";
import { credentialPlace, proxyPlace } from "@sluice/db/secrets";
import type { ProviderConfig, StoredCredential } from "@sluice/snapshot/config";
import type { Ctx } from "../context.ts";

/** The decrypted secrets of a provider; empty where none is stored. */
export interface OpenedSecrets {
  secret: string;
  /** By label. */
  credentials: ReadonlyMap<string, string>;
  /** The URL with its credentials. */
  proxy: string;
}

/** Decrypts all secrets. @throws when a record is damaged. */
export function openProvider({ secrets }: Pick<Ctx, "secrets">, provider: ProviderConfig): OpenedSecrets {
  const { id, secret, credentials = [], proxy = "" } = provider;
  return {
    secret: secret === "" ? "" : secrets.decrypt(secret, id),
    credentials: new Map(credentials.map((one) => [one.label, secrets.decrypt(one.secret, credentialPlace(id, one.label))])),
    proxy: proxy === "" ? "" : secrets.decrypt(proxy, proxyPlace(id)),
  };
}

/**
 * The secrets as texts to search for in answers; of a proxy its password, also as it is sent.
 * @throws URIError when the proxy's login is not valid percent-encoding.
 */
export function secretTexts({ secret, credentials, proxy }: OpenedSecrets): string[] {
  const { username = "", password = "" } = URL.parse(proxy) ?? {};
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const sent = password === "" ? "" : Buffer.from(login).toString("base64");
  return [secret, ...credentials.values(), password, decodeURIComponent(password), sent];
}

/**
 * The credentials to store: a new secret is encrypted; without one, the stored secret of that label stays.
 * @throws SluiceError `invalid_request` when there is none, or when it would be sent to another origin than before (`isMoved`).
 */
export function sealCredentials(
  { secrets }: Pick<Ctx, "secrets">,
  id: string,
  wanted: CreateProviderInput["credentials"],
  { stored, isMoved }: { stored: readonly StoredCredential[]; isMoved: boolean },
): StoredCredential[] {
  return wanted.map(({ label, weight, secret }) => {
    if (secret !== undefined) return { label, weight, secret: secrets.encrypt(secret, credentialPlace(id, label)) };
    const kept = isMoved ? undefined : stored.find((one) => one.label === label);
    if (kept) return { ...kept, weight };
    throw new SluiceError("invalid_request", { message: `Enter the key of "${label}".`, field: "credentials" });
  });
}

/** The encrypted URL of a proxy, empty = none. @throws SluiceError `invalid_request` when it must not be called. */
export function sealProxy(ctx: Pick<Ctx, "secrets" | "egress">, id: string, proxy: string | null): string {
  if (proxy === null) return "";
  ctx.egress.checkProxy(proxy);
  return ctx.secrets.encrypt(proxy, proxyPlace(id));
}

/** A proxy's URL without its credentials, for display. */
export function proxyAddress(proxy: string): string {
  const url = URL.parse(proxy);
  return url ? `${url.protocol}//${url.host}` : "";
}
