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
  /** Last four characters of the secret, '' for secrets too short to show any. */
  secretTail: string;
  groups: string[];
  priority: number;
  weight: number;
  /** Patterns; empty = any. */
  models: string[];
  /** In order. */
  modelRedirects: ModelRedirect[];
  groupPriorities: Record<string, number>;
  schedule: { zone: string; windows: ScheduleWindow[] };
  /** What is absent is as the settings say; of `breaker` too. */
  timeouts: ProviderTimeouts;
  breaker: ProviderBreaker;
  /** Beside the first one, in order. */
  credentials: { label: string; weight: number; secretTail: string }[];
  credentialOrder: "first" | "weighted";
  secretWeight: number;
  headers: Record<string, string>;
  /** Without its login; '' = none. */
  proxy: string;
  /** Plain decimal. */
  costMultiplier: string;
  enabled: boolean;
  /** Also when it has ended: compare with the clock. */
  override: ProviderOverride | null;
  createdAtMs: number;
}

/** What a list shows of a provider; what most do not have is left out. `providers.get` has the rest. */
export interface ProviderLine {
  id: string;
  name: string;
  dialect: DialectName;
  /** Of its base URL. */
  host: string;
  groups: string[];
  priority: number;
  weight: number;
  enabled: boolean;
  /** Absent: 1. */
  costMultiplier?: string;
  /** How many models it is limited to; absent: any. */
  models?: number;
  /** Failures in a row that open its breakers; absent: as the settings say. */
  breakerFailures?: number;
  override?: ProviderOverride;
}

/** Requests by the provider that answered last, per bucket of time; only providers that had any. Arrays are equally long. */
export interface ProviderSeries {
  fromMs: number;
  bucketMs: number;
  providers: {
    providerId: string;
    requests: number[];
    /** Answered with 4xx or 5xx. */
    errors: number[];
    /** Sum and number of times to first content: their mean is shown. */
    ttftMs: number[];
    ttfts: number[];
  }[];
  /** Which of the recent ends they count. */
  recent: Recent;
}

/** Everything the providers page needs, in one call; figures that move arrive over `live.events` from `busId` on. */
export interface ProvidersBootstrap {
  providers: ProviderLine[];
  health: ProviderHealth[];
  /** null while Postgres does not answer. */
  series: ProviderSeries | null;
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
  /** The model that was called, by the name sent to the provider; absent for a list. */
  model?: string;
  /** The beginning of what it answered, at most 600 characters, without its secret; '' when nothing came. */
  excerpt: string;
  /** Model names it listed, at most 500; absent when a model was called instead. */
  models?: string[];
}

/** What stops with a provider. */
export interface ProviderImpact {
  providers: {
    id: string;
    /** Active sessions whose latest request went there. */
    sessions: number;
    inFlight: number;
    /** Attempts today. */
    requests: number;
  }[];
  /** Attempts today at all providers together. */
  requests: number;
}

/** One change of a provider, out of the audit; fields as in {@link ProviderView}. */
export interface ProviderVersion {
  id: string;
  atMs: number;
  action: string;
  /** Name of who did it; '' for an account that is gone. The command line, the configuration file and boot by their kind. */
  actor: string;
  before: Partial<ProviderView> | null;
  after: Partial<ProviderView> | null;
}

/** What the gateway would do with a request now. */
export interface RoutingSimulation {
  /** In the order they would be tried; inside a priority the likelier first. */
  candidates: {
    providerId: string;
    priority: number;
    weight: number;
    /** Name sent to it. */
    upstreamModel: string;
    /** "anthropic → openai chat" when it speaks another dialect, else ''. */
    converted: string;
    /** `probe`: its breaker lets one request through; `open`: it is ignored by an override. */
    breaker: BreakerView;
    /** What the strategy sees of it; null when it looks at nothing. */
    saw: Measured | null;
    /** Probability of being tried first, 0–1. */
    share: number;
  }[];
  excluded: Exclusion[];
  excludedMore: number;
  chosenBy: Decision["chosenBy"];
  /** Code of the error the client would get; null when the request would be sent. */
  refusal: string | null;
  /** The routing rule that applies; null when none does. */
  rule: DecisionRule | null;
  group: string;
  /** The provider its session is bound to; '' when to none. */
  stickyProviderId: string;
  atMs: number;
}
