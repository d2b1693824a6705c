import { type Conversion, convert } from "@sluice/core/dialects/conversion/convert";
import { withoutForeignThinking } from "@sluice/core/dialects/conversion/foreign-thinking";
import { conversionLabel, conversionTarget, isNative, wireOf } from "@sluice/core/dialects/conversion/wires";
import type { Dialect, Route } from "@sluice/core/dialects/dialect";
import { dialects } from "@sluice/core/dialects/registry";
import { SluiceError } from "@sluice/core/errors";
import type { ProviderConfig } from "@sluice/snapshot/config";
import type { Call } from "./call.ts";
import type { Runtime } from "./context.ts";

/** How a provider is addressed for one request. */
export interface Spoken {
  dialect: Dialect;
  route: Route;
  /** null: the client's own dialect, whose bytes pass unchanged. */
  conversion: Conversion | null;
  /** "anthropic → openai chat"; '' without conversion. */
  label: string;
}

/**
 * Uses the client's own dialect if the provider speaks it, and otherwise converts the request. Conversion happens only for
 * providers that are actually tried.
 * @throws SluiceError `not_convertible`, `invalid_request`: this provider cannot be asked this.
 */
export function speak(runtime: Runtime, call: Call, provider: ProviderConfig, model: string): Spoken {
  const { route } = call;
  if (!route) throw new SluiceError("internal", { detail: "attempt before resolve" });
  if (isNative(provider, route)) return { dialect: call.dialect, route, conversion: null, label: "" };
  const endpoint = conversionTarget(provider, route);
  const target: Route | null = endpoint && { dialect: provider.dialect, endpoint };
  const from = wireOf(route);
  const to = target && wireOf(target);
  if (!target || !from || !to) throw new SluiceError("not_convertible");
  const conversion = convert({ from, to, body: call.body, model, requestId: call.id, nowMs: runtime.clock.now() });
  return { dialect: dialects[provider.dialect], route: target, conversion, label: conversionLabel(route, target) };
}

/**
 * The client's bytes (after rewrites) for a provider of its own dialect, without thinking blocks that came from providers of another
 * dialect: these would be refused. Bytes stay as they are when there are none.
 */
export function nativeBody({ route }: Call, body: Buffer): Buffer {
  return route ? withoutForeignThinking(body, wireOf(route)) : body;
}

/** Tells the client how its answer was converted. Header values are ASCII. */
export function conversionHeaders({ label, conversion }: Spoken): Record<string, string> {
  if (!conversion) return {};
  const dropped = conversion.dropped
    .join(", ")
    .replace(/[^\x20-\x7e]/g, "?")
    .slice(0, 500);
  return { "x-sluice-converted": label.replace("→", "->"), ...(dropped === "" ? {} : { "x-sluice-dropped": dropped }) };
}
