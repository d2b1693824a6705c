import type { Billing } from "@sluice/core/inputs/credit";
import type { Policies } from "@sluice/core/inputs/policies";
import type { ProviderBreaker, ProviderTimeouts } from "@sluice/core/inputs/provider-options";
import type { Settings } from "@sluice/core/inputs/settings";
import type { LimitValues } from "@sluice/core/limits/limit-values";
import type { TokenPrices } from "@sluice/core/pricing/price-usage";
import type { DialectName } from "@sluice/core/requests";
import type { ModelRedirects } from "@sluice/core/routing/model-redirects";
import type { ProviderOverride } from "@sluice/core/routing/provider-override";
import type { Schedule } from "@sluice/core/routing/schedule";

/** The configuration by which requests are decided, held in memory and replaced as a whole. All ids are UUIDs. */
export interface Config {
  tenantId: string;
  /** Increases with every change (table config_version); "0" before the first load. */
  version: string;
  /** By the hash of each secret. A secret that was rotated away has its own entry, which expires with the overlap. */
  keysBySha256: ReadonlyMap<string, KeyConfig>;
  users: ReadonlyMap<string, UserConfig>;
  /** By name; only groups that have settings. */
  groups: ReadonlyMap<string, GroupConfig>;
  providers: readonly ProviderConfig[];
  /** The current price of each model. */
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
  /** null or absent (disk copies of older versions) = none. */
  policies?: Policies | null;
}

/** Disk copies of older versions have no limits here: they are read as none. */
export interface UserConfig extends Partial<LimitValues> {
  id: string;
  email: string;
  name: string;
  role: "admin" | "user";
  enabled: boolean;
  /** Absent in disk copies of older versions: postpaid. */
  billing?: Billing;
  /** These two have the same meaning as for a key. */
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
  /** Encrypted record (db/secrets); `Snapshot.secretOf` decrypts it. */
  secret: string;
  groups: readonly string[];
  priority: number;
  weight: number;
  /** Patterns; empty = any. */
  models: readonly string[];
  modelRedirects: ModelRedirects;
  /** Absent in disk copies of older versions, like the next three. */
  groupPriorities?: Readonly<Record<string, number>>;
  schedule?: Schedule;
  /** Options that are absent here come from the settings. */
  timeouts?: ProviderTimeouts;
  breaker?: ProviderBreaker;
  /** In addition to the first one. Absent in disk copies of older versions, like the next four. */
  credentials?: readonly StoredCredential[];
  credentialOrder?: "first" | "weighted";
  /** Weight of the first credential. */
  secretWeight?: number;
  /** Names in lower case. */
  headers?: Readonly<Record<string, string>>;
  /** Encrypted record of its URL; '' = none. `Snapshot.proxyOf` decrypts it. */
  proxy?: string;
  /** Plain decimal. */
  costMultiplier: string;
  enabled: boolean;
  /** May have ended: compare with the clock (core's `overrideNow`). Absent in disk copies of older versions. */
  override?: ProviderOverride | null;
}

/** An additional credential; labels are unique within a provider. */
export interface StoredCredential {
  label: string;
  weight: number;
  /** Encrypted record; `Snapshot.secretOf` decrypts it. */
  secret: string;
}

export interface PriceConfig extends TokenPrices {
  id: string;
  model: string;
  /** The model's maximum output per answer; null or absent (disk copies of older versions) = unknown. */
  maxOutputTokens?: number | null;
}

export interface Snapshot {
  /** The current configuration; the same object until something changes. Never throws once `createSnapshot` has resolved. */
  current(): Config;
  /**
   * The key with this hash. On a miss, asks Postgres once for the version (coalesced, at most once a second) and reloads
   * when it is behind, so that a key created elsewhere works at once.
   * @throws SluiceError `unavailable` when the key is unknown and Postgres is unavailable.
   */
  findKey(sha256: string): Promise<KeyConfig | null>;
  /** The decrypted secret of the provider or of one of its additional credentials; decrypted once and kept in memory. */
  secretOf(provider: ProviderConfig, credential?: StoredCredential): string;
  /** The URL of its proxy, including the login; '' = none. */
  proxyOf(provider: ProviderConfig): string;
  /** Reloads from Postgres now; resolves when the new configuration is in force. */
  refresh(): Promise<void>;
  /** Called after each replacement. Returns a function that unsubscribes. */
  onChange(listener: (config: Config, previous: Config) => void): () => void;
  /** ms since the last successful load or version check. */
  ageMs(): number;
  close(): Promise<void>;
}
