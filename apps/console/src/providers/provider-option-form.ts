import type { Provider } from "./provider.ts";

/** The form's values for rarely used options, as typed; empty = as in the settings. */
export interface OptionValues {
  /** Lines "group = priority". */
  groupPriorities: string;
  zone: string;
  /** Lines "HH:mm-HH:mm". */
  schedule: string;
  timeouts: { connectMs: string; firstContentMs: string; idleMs: string; totalMs: string };
  breaker: { failures: string; openSeconds: string; probes: string; failureRatePercent: string };
  /** In addition to the first one. A stored one has an empty secret, which keeps it. */
  credentials: { label: string; secret: string; weight: string }[];
  credentialOrder: "first" | "weighted";
  secretWeight: string;
  /** Lines "name: value". */
  headers: string;
  /** A stored proxy is shown without its credentials. */
  proxy: string;
}

export function optionValuesOf(provider: Provider | null): OptionValues {
  const { timeouts, breaker, schedule, groupPriorities, credentials, headers } = provider ?? {};
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
    breaker: {
      failures: text(breaker?.failures),
      openSeconds: text(breaker?.openSeconds),
      probes: text(breaker?.probes),
      failureRatePercent: text(breaker?.failureRatePercent),
    },
    credentials: (credentials ?? []).map(({ label, weight }) => ({ label, secret: "", weight: String(weight) })),
    credentialOrder: provider?.credentialOrder ?? "first",
    secretWeight: String(provider?.secretWeight ?? 1),
    headers: Object.entries(headers ?? {})
      .map(([name, value]) => `${name}: ${value}`)
      .join("\n"),
    proxy: provider?.proxy ?? "",
  };
}

/**
 * Text that is no number or time is left for the schema to refuse. An unchanged proxy is not sent, because its credentials are unknown
 * here.
 */
export function optionsInput(values: OptionValues, provider: Pick<Provider, "proxy"> | null) {
  const { groupPriorities, zone, schedule, timeouts, breaker } = values;
  const proxy = values.proxy.trim();
  return {
    ...(provider && proxy === provider.proxy ? {} : { proxy: proxy || null }),
    credentials: values.credentials.map(({ label, secret, weight }) => ({
      label,
      weight: Number(weight || 1),
      ...(secret.trim() && { secret: secret.trim() }),
    })),
    credentialOrder: values.credentialOrder,
    secretWeight: Number(values.secretWeight || 1),
    headers: Object.fromEntries(readPairs(values.headers, ":")),
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
export function readPairs(text: string, separator: "=" | ":" = "="): [string, string][] {
  return lines(text).map((line) => {
    const at = line.indexOf(separator);
    return at < 0 ? [line, ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
}

export function pairLines(pairs: readonly (readonly [string, string | number])[]): string {
  return pairs.map(([left, right]) => `${left} = ${right}`).join("\n");
}
