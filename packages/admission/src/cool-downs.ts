import type { Clock } from "@sluice/core/clock";
import type { CoolDown } from "@sluice/core/events";
import type { CoolDowns } from "./admission.ts";

const MAX_ENTRIES = 10_000;

/**
 * Credentials that were refused and are not used for a while, in memory. `onCooled` informs the other instances; one that
 * starts later learns it from a refusal of its own.
 */
export function createCoolDowns(clock: Clock, onCooled: (coolDown: CoolDown) => void): CoolDowns {
  const byCredential = new Map<string, CoolDown>();
  const keyOf = (providerId: string, label: string): string => `${providerId}|${label}`;

  const sweep = (): void => {
    const now = clock.now();
    for (const [key, { untilMs }] of byCredential) if (untilMs <= now) byCredential.delete(key);
  };

  const receive = (coolDown: CoolDown): void => {
    const key = keyOf(coolDown.providerId, coolDown.label);
    if ((byCredential.get(key)?.untilMs ?? 0) >= coolDown.untilMs) return;
    if (byCredential.size >= MAX_ENTRIES) sweep();
    if (byCredential.size < MAX_ENTRIES || byCredential.has(key)) byCredential.set(key, coolDown);
  };

  return {
    untilMs(providerId, label) {
      if (byCredential.size === 0) return 0;
      const untilMs = byCredential.get(keyOf(providerId, label))?.untilMs ?? 0;
      return untilMs > clock.now() ? untilMs : 0;
    },
    cool(coolDown) {
      receive(coolDown);
      onCooled(coolDown);
    },
    receive,
    reset(providerId) {
      for (const [key, coolDown] of byCredential) if (coolDown.providerId === providerId) byCredential.delete(key);
    },
    list() {
      sweep();
      return [...byCredential.values()];
    },
  };
}
