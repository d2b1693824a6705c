import { type ErrorCode, SluiceError } from "@sluice/core/errors";
import type { LiveCommand } from "@sluice/core/events";
import { keyRefusal } from "@sluice/core/routing/refusals";
import type { Config, KeyConfig } from "@sluice/snapshot/config";
import type { Call } from "./call.ts";
import type { Runtime } from "./context.ts";

/** Longer delays overflow Node's timers. */
const maxTimerMs = 2 ** 31 - 1;

/**
 * Ends requests that must not go on: cancelled ones, those of a terminated session, and those whose key or owner was
 * revoked or has expired. Open calls are checked only when one of these events occurs; the only timer waits for the next
 * expiry of any key or user. A lost command does no lasting harm where it matters, because the configuration is checked too.
 */
export function createControl(runtime: Runtime): { close(): void } {
  const { snapshot, clock, commands, calls, admission } = runtime;
  let expiry: NodeJS.Timeout | null = null;

  const cutWhere = (matches: (call: Call) => boolean, error: () => SluiceError): void => {
    for (const call of calls.values()) if (matches(call)) cut(call, error());
  };

  function obey(command: LiveCommand): void {
    switch (command.kind) {
      case "request.cancel":
        cutWhere(({ id }) => id === command.requestId, cancelled);
        return;
      case "session.terminate":
        cutWhere(({ row }) => row.sessionId === command.sessionId, terminated);
        // After the cut: a stream that has just begun may have bound the session again.
        admission.sticky.unbind(command.sessionId);
        return;
      case "key.cut":
        cutWhere(({ key }) => key?.id === command.keyId, revoked);
        return;
      default:
        return;
    }
  }

  function check(config: Config): void {
    for (const call of calls.values()) {
      const code = call.key && refusalOf(config, call.key, clock.now());
      if (code) cut(call, new SluiceError(code));
    }
    arm(config);
  }

  /** A single timer, for the next expiry of any key or user. */
  function arm(config: Config): void {
    if (expiry) clearTimeout(expiry);
    expiry = null;
    let next = Number.POSITIVE_INFINITY;
    const now = clock.now();
    for (const owners of [config.keysBySha256, config.users])
      for (const { expiresAtMs } of owners.values()) if (expiresAtMs != null && expiresAtMs > now) next = Math.min(next, expiresAtMs);
    if (next === Number.POSITIVE_INFINITY) return;
    expiry = setTimeout(() => check(snapshot.current()), Math.min(maxTimerMs, next - now + 1));
    expiry.unref();
  }

  const offCommands = commands.listen(obey);
  const offConfig = snapshot.onChange(check);
  arm(snapshot.current());
  return {
    close() {
      offCommands();
      offConfig();
      if (expiry) clearTimeout(expiry);
    },
  };
}

/** Ends a call early, once: its upstream is aborted, what was delivered is billed, and the client gets the reason in its dialect. */
export function cut(call: Call, error: SluiceError): void {
  if (call.over || call.cut) return;
  call.cut = error;
  call.abort.abort(error);
}

const cancelled = () => new SluiceError("cancelled");
const terminated = () => new SluiceError("cancelled", { message: "This session was terminated." });
const revoked = () => new SluiceError("invalid_key");

/** Why a key that was valid may no longer be used; null when it may. */
function refusalOf(config: Config, key: KeyConfig, nowMs: number): ErrorCode | null {
  const now = config.keysBySha256.get(key.sha256);
  return now ? keyRefusal(now, config.users.get(now.userId), nowMs) : "invalid_key";
}
