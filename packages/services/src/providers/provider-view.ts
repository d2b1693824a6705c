import type { BreakerView } from "@sluice/core/breaker/breaker";
import type { ProviderHealth } from "@sluice/core/events";
import type { ProviderBreaker, ProviderTimeouts } from "@sluice/core/inputs/provider-options";
import type { Settings } from "@sluice/core/inputs/settings";
import type { Decision, DecisionRule, DialectName, Exclusion } from "@sluice/core/requests";
import type { ModelRedirect } from "@sluice/core/routing/model-redirects";
import type { ProviderOverride } from "@sluice/core/routing/provider-override";
import type { ScheduleWindow } from "@sluice/core/routing/schedule";
import type { Measured } from "@sluice/core/routing/strategies";
import type { Recent } from "@sluice/core/statistics";
import type { LimitsView } from "../limits/limits-view.ts";

/** A provider as admins see it; its secret is write-only. */
export interface ProviderView extends LimitsView {
  id: string;
  name: string;
  dialect: DialectName;
  serves: ("chat" | "responses" | "embeddings")[];
  baseUrl: string;
  /** Last four characters of the secret; empty for secrets too short to show any. */
  secretTail: string;
  groups: string[];
  priority: number;
  weight: number;
  /** Patterns; empty = any model. */
  models: string[];
  /** Applied in order. */
  modelRedirects: ModelRedirect[];
  groupPriorities: Record<string, number>;
  schedule: { zone: string; windows: ScheduleWindow[] };
  /** Absent fields follow the settings, as do those of `breaker`. */
  timeouts: ProviderTimeouts;
  breaker: ProviderBreaker;
  /** In addition to the first one, in order. */
  credentials: { label: string; weight: number; secretTail: string }[];
  credentialOrder: "first" | "weighted";
  secretWeight: number;
  headers: Record<string, string>;
  /** URL without its credentials; empty = none. */
  proxy: string;
  /** Decimal text. */
  costMultiplier: string;
  enabled: boolean;
  /** May be over already: compare with the clock. */
  override: ProviderOverride | null;
  createdAtMs: number;
}

/** A provider as a list shows it; fields that most providers do not use are omitted. `providers.get` has all of them. */
export interface ProviderLine {
  id: string;
  name: string;
  dialect: DialectName;
  /** Host of the base URL. */
  host: string;
  groups: string[];
  priority: number;
  weight: number;
  enabled: boolean;
  /** Absent = 1. */
  costMultiplier?: string;
  /** Number of models it is limited to; absent = any model. */
  models?: number;
  /** Consecutive failures that open its breakers; absent = as in the settings. */
  breakerFailures?: number;
  override?: ProviderOverride;
}

/** Requests by the provider that answered last, per time bucket; only providers that had any. All arrays have the same length. */
export interface ProviderSeries {
  fromMs: number;
  bucketMs: number;
  providers: {
    providerId: string;
    requests: number[];
    /** Answers with 4xx or 5xx. */
    errors: number[];
    /** Sum and count of times to first content; the mean is shown. */
    ttftMs: number[];
    ttfts: number[];
  }[];
  /** The recent ends that are included. */
  recent: Recent;
}

/** Everything the providers page needs in one call; changing figures arrive over `live.events` from `busId` on. */
export interface ProvidersBootstrap {
  providers: ProviderLine[];
  health: ProviderHealth[];
  /** null while Postgres does not answer. */
  series: ProviderSeries | null;
  settings: Settings;
  busId: string;
  serverNowMs: number;
}

/** Result of a connection test. `message` is the same for a closed port and for a blocked address. */
export interface ProviderTest {
  ok: boolean;
  /** The provider's HTTP status; null without an answer. */
  status: number | null;
  latencyMs: number;
  message: string;
  /** The name of the model that was called, as sent to the provider; absent if the list of models was requested. */
  model?: string;
  /** The beginning of its answer, at most 600 characters, without the secret; empty without an answer. */
  excerpt: string;
  /** The models it listed, at most 500; absent if a model was called. */
  models?: string[];
}

/** What would be affected if providers were gone. */
export interface ProviderImpact {
  providers: {
    id: string;
    /** Active sessions whose latest request went there. */
    sessions: number;
    inFlight: number;
    /** Attempts today. */
    requests: number;
  }[];
  /** Attempts today over all providers. */
  requests: number;
}

/** One audited change of a provider; fields as in {@link ProviderView}. */
export interface ProviderVersion {
  id: string;
  atMs: number;
  action: string;
  /** Name of the user; empty for a deleted account. The command line, the configuration file and boot appear by their kind. */
  actor: string;
  before: Partial<ProviderView> | null;
  after: Partial<ProviderView> | null;
}

/** What the gateway would do with a request now. */
export interface RoutingSimulation {
  /** In the order of attempts; within a priority the likelier first. */
  candidates: {
    providerId: string;
    priority: number;
    weight: number;
    /** Model name sent to it. */
    upstreamModel: string;
    /** "anthropic → openai chat" if it speaks another dialect, otherwise empty. */
    converted: string;
    /** `probe`: its breaker lets one request through; `open`: an override ignores the open breaker. */
    breaker: BreakerView;
    /** What the strategy considers; null when it considers nothing. */
    saw: Measured | null;
    /** Probability of being tried first, 0 to 1. */
    share: number;
  }[];
  excluded: Exclusion[];
  excludedMore: number;
  chosenBy: Decision["chosenBy"];
  /** Code of the error that the client would get; null when the request would be sent. */
  refusal: string | null;
  /** The routing rule that applies; null if none does. */
  rule: DecisionRule | null;
  group: string;
  /** The provider its session is bound to; empty if none. */
  stickyProviderId: string;
  atMs: number;
}
