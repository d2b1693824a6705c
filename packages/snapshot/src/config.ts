import type { Billing } from "@sluice/core/inputs/credit";
import type { Policies } from "@sluice/core/inputs/policies";
import type { ProviderBreaker, ProviderTimeouts } from "@sluice/core/inputs/provider-options";
import type { Settings } from "@sluice/core/inputs/settings";
import type { LimitValues } from "@sluice/core/limits/limit-values";
import type { DialectName } from "@sluice/core/requests";
import type { ModelRedirects } from "@sluice/core/routing/model-redirects";
import type { ProviderOverride } from "@sluice/core/routing/provider-override";
import type { Schedule } from "@sluice/core/routing/schedule";

/** The configuration that requests are decided by, held in memory and replaced as a whole. All ids are UUIDs. */
export interface Config {
  tenantId: string;
  /** Rises with every change (table config_version); "0" before the first load. */
  version: string;
  /** By each secret: one that was rotated away is its key once more, with the end of the overlap as its expiry. */
  keysBySha256: ReadonlyMap<string, KeyConfig>;
  users: ReadonlyMap<string, UserConfig>;
  /** By name, those of which something is said. */
  groups: ReadonlyMap<string, GroupConfig>;
  providers: readonly ProviderConfig[];
  /** The price in force of each model. */
  prices: ReadonlyMap<string, PriceConfig>;
  settings: Settings;
}

export interface KeyConfig extends LimitValues {
  id: string;
  userId: string;
  name: string;
  group: string;
  sha256: string;
  expiresAtMs: number | null;
  enabled: boolean;
  /** null or absent (copies on disk of an older version) = nothing is said. */
  policies?: Policies | null;
}

/** Copies on disk of an older version have no limits here: they are read as none. */
export interface UserConfig extends Partial<LimitValues> {
  id: string;
  email: string;
  name: string;
  role: "admin" | "user";
  enabled: boolean;
  /** Absent in copies on disk of an older version: postpaid. */
  billing?: Billing;
  /** These two as a key's. */
  expiresAtMs?: number | null;
  policies?: Policies | null;
}

export interface GroupConfig extends LimitValues {
  name: string;
  /** Plain decimal. */
  costMultiplier: string;
}

export interface ProviderConfig extends Partial<LimitValues> {
  id: string;
  name: string;
  dialect: DialectName;
  serves: readonly ("chat" | "responses" | "embeddings")[];
  baseUrl: string;
  /** Encrypted record (db/secrets); `Snapshot.secretOf` opens it. */
  secret: string;
  groups: readonly string[];
  priority: number;
  weight: number;
  /** Patterns; empty = any. */
  models: readonly string[];
  modelRedirects: ModelRedirects;
  /** Absent in copies on disk of an older version, as the next three are. */
  groupPriorities?: Readonly<Record<string, number>>;
  schedule?: Schedule;
  /** What is absent in these is as the settings say. */
  timeouts?: ProviderTimeouts;
  breaker?: ProviderBreaker;
  /** Beside the first one. Absent in copies on disk of an older version, as the next four are. */
  credentials?: readonly StoredCredential[];
  credentialOrder?: "first" | "weighted";
  /** Of the first credential. */
  secretWeight?: number;
  /** Names in lower case. */
  headers?: Readonly<Record<string, string>>;
  /** Encrypted record of its URL; '' = none. `Snapshot.proxyOf` opens it. */
  proxy?: string;
  /** Plain decimal. */
  costMultiplier: string;
  enabled: boolean;
  /** Also when it has ended: compare with the clock (core's `overrideNow`). Absent in copies on disk of an older version. */
  override?: ProviderOverride | null;
}

/** A further credential; labels are unique within a provider. */
export interface StoredCredential {
  label: string;
  weight: number;
  /** Encrypted record; `Snapshot.secretOf` opens it. */
  secret: string;
}

/** USD per million tokens, plain decimals; null = core/pricing's default. */
export interface PriceConfig {
  id: string;
  model: string;
  inputPerMTok: string;
  outputPerMTok: string;
  cacheWrite5mPerMTok: string | null;
  cacheWrite1hPerMTok: string | null;
  cacheReadPerMTok: string | null;
  /** The most the model gives out in one answer; null or absent (older copies on disk) = not known. */
  maxOutputTokens?: number | null;
}

export interface Snapshot {
  /** The configuration in force; the same object until something changes. Never throws once `start` resolved. */
  current(): Config;
  /**
   * The key with this hash. On a miss asks Postgres once for the version (coalesced, at most one a second) and
   * reloads when it is behind, so that a key made elsewhere works at once.
   * @throws SluiceError `unavailable` when the key is unknown and Postgres cannot be asked.
   */
  findKey(sha256: string): Promise<KeyConfig | null>;
  /** The provider's secret, or that of one of its further credentials, in clear: decrypted once and kept in memory. */
  secretOf(provider: ProviderConfig, credential?: StoredCredential): string;
  /** The URL of its proxy with its login, '' = none. */
  proxyOf(provider: ProviderConfig): string;
  /** Reloads from Postgres now; resolves when the new configuration is in force. */
  refresh(): Promise<void>;
  /** Called after each replacement. Returns the unsubscription. */
  onChange(listener: (config: Config, previous: Config) => void): () => void;
  /** ms since the last successful load or version check. */
  ageMs(): number;
  close(): Promise<void>;
}
