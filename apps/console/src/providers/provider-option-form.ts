import type { Provider } from "./provider.ts";

/** What the form holds of what most providers say nothing of: texts, as typed; empty = as the settings say. */
export interface OptionValues {
  /** Lines "group = priority". */
  groupPriorities: string;
  zone: string;
  /** Lines "HH:mm-HH:mm". */
  schedule: string;
  timeouts: { connectMs: string; firstContentMs: string; idleMs: string; totalMs: string };
  breaker: { failures: string; openSeconds: string };
}

export function optionValuesOf(provider: Provider | null): OptionValues {
  const { timeouts, breaker, schedule, groupPriorities } = provider ?? {};
  const text = (value: number | undefined): string => (value === undefined ? "" : String(value));
  return {
    groupPriorities: pairLines(Object.entries(groupPriorities ?? {})),
    zone: schedule?.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    schedule: (schedule?.windows ?? []).map(({ from, to }) => `${from}-${to}`).join("\n"),
    timeouts: {
      connectMs: text(timeouts?.connectMs),
      firstContentMs: text(timeouts?.firstContentMs),
      idleMs: text(timeouts?.idleMs),
      totalMs: text(timeouts?.totalMs),
    },
    breaker: { failures: text(breaker?.failures), openSeconds: text(breaker?.openSeconds) },
  };
}

/** What is no number or time is left for the schema to judge. */
export function optionsInput({ groupPriorities, zone, schedule, timeouts, breaker }: OptionValues) {
  return {
    groupPriorities: Object.fromEntries(readPairs(groupPriorities).map(([group, priority]) => [group, Number(priority || "none")])),
    schedule: {
      zone: zone.trim() || "UTC",
      windows: lines(schedule).map((line) => {
        const [from = "", to = ""] = line.split(/\s*[-–—~]\s*/);
        return { from, to };
      }),
    },
    timeouts: numbers(timeouts),
    breaker: numbers(breaker),
  };
}

function numbers(values: Readonly<Record<string, string>>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).flatMap(([name, text]) => (text.trim() === "" ? [] : [[name, Number(text)]])));
}

function lines(text: string): string[] {
  return text.split("\n").flatMap((line) => line.trim() || []);
}

/** Lines "left = right"; a line without both sides yields a pair that the schema refuses. */
export function readPairs(text: string): [string, string][] {
  return lines(text).map((line) => {
    const at = line.indexOf("=");
    return at < 0 ? [line, ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
}

export function pairLines(pairs: readonly (readonly [string, string | number])[]): string {
  return pairs.map(([left, right]) => `${left} = ${right}`).join("\n");
}
