import type { ErrorFacts } from "@sluice/core/errors";
import type { NameLookup } from "../api/names.ts";
import { formatCost } from "../format.ts";
import { isCost } from "../limits/limit-form.ts";
import { limitAmount } from "../limits/limits-text.ts";
import type { Translate } from "../text/translator.ts";

interface FactReader {
  t: Translate;
  language: string;
  names: Pick<NameLookup, "key" | "user" | "provider">;
  nowMs: number;
}

/** The figures of one refusal in sentences: which limit of whom, how much was used, and when there is room again. */
export function factLines(facts: ErrorFacts, { t, language, names, nowMs }: FactReader): string[] {
  const cost = (nano: number): string => formatCost(String(Math.round(nano)));
  if (facts.kind === "credit") return [t("explain.credit", { available: cost(facts.availableNanoUsd), needed: cost(facts.neededNanoUsd) })];
  const { limit, owner, ownerId, value, used, wantedNanoUsd, resetAtMs } = facts;
  const name = owner === "group" ? ownerId : names[owner](ownerId);
  const amount = (of: number): string => limitAmount(limit, of, language);
  return [
    t("explain.limit", { limit: t(`limits.name.${limit}`), owner: t(`explain.of.${owner}`, { name }) }),
    t("explain.used", { used: amount(used), value: amount(value) }),
    ...(isCost(limit) && wantedNanoUsd > 0 ? [t("explain.wanted", { wanted: cost(wantedNanoUsd) })] : []),
    ...resetLine(resetAtMs),
  ];

  function resetLine(atMs: number | null): string[] {
    // A place in flight may be freed at any time. For the other limits there is no such time if the request exceeds the whole limit.
    if (atMs === null) return limit === "in_flight" ? [] : [t(limit === "total" ? "explain.neverResets" : "explain.neverFits")];
    const time = weekdayTime(atMs, nowMs, language);
    return [atMs > nowMs ? t("explain.resets", { time }) : t("explain.hasRoom", { time })];
  }
}

const WEEK_MS = 7 * 86_400_000;

/** "Monday 00:00" within a week of now, otherwise with the date; in the viewer's zone. */
export function weekdayTime(atMs: number, nowMs: number, language: string): string {
  const day: Intl.DateTimeFormatOptions =
    Math.abs(atMs - nowMs) < WEEK_MS ? { weekday: "long" } : { year: "numeric", month: "short", day: "numeric" };
  return new Intl.DateTimeFormat(language, { ...day, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(atMs);
}
