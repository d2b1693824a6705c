import type { ProviderHealth } from "@sluice/core/events";
import type { Settings } from "@sluice/core/inputs/settings";
import type { DialectName } from "@sluice/core/requests";

/** A provider as admins see it; its secret is write-only. */
export interface ProviderView {
  id: string;
  name: string;
  dialect: DialectName;
  serves: ("chat" | "responses" | "embeddings")[];
  baseUrl: string;
  /** Last four characters of the secret, '' for secrets too short to show any. */
  secretTail: string;
  groups: string[];
  priority: number;
  weight: number;
  /** Empty = any. */
  models: string[];
  modelRedirects: Record<string, string>;
  /** Plain decimal. */
  costMultiplier: string;
  enabled: boolean;
  createdAtMs: number;
}

/** Everything the providers page needs, in one call; figures that move arrive over `live.events` from `busId` on. */
export interface ProvidersBootstrap {
  providers: ProviderView[];
  health: ProviderHealth[];
  settings: Settings;
  busId: string;
  serverNowMs: number;
}

/** What a connection test found. `message` is the same for a closed port and for a blocked address. */
export interface ProviderTest {
  ok: boolean;
  /** The provider's HTTP status; null when it gave none. */
  status: number | null;
  latencyMs: number;
  message: string;
  /** Model names it listed, at most 500; absent when a model was called instead. */
  models?: string[];
}
