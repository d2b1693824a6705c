/** Formats numbers, money and times for the console; pure functions of value and language. */

const NANO_DIGITS = 9;

/**
 * Formats nano-USD (decimal text) as dollars: from $1 two decimals, below it four significant digits, and never $0.00 for a value other
 * than zero. Integer arithmetic only.
 */
export function formatCost(nanoUsd: string | null | undefined): string {
  if (nanoUsd === null || nanoUsd === undefined || nanoUsd === "") return "—";
  const value = BigInt(nanoUsd);
  const sign = value < 0n ? "-" : "";
  const nano = value < 0n ? -value : value;
  if (nano === 0n) return "$0";
  if (nano >= 1_000_000_000n) {
    const cents = (nano + 5_000_000n) / 10_000_000n;
    return `${sign}$${group(cents / 100n)}.${(cents % 100n).toString().padStart(2, "0")}`;
  }
  if (nano < 100_000n) return nano < 100_000n && sign ? ">-$0.0001" : "<$0.0001";
  const digits = nano.toString().length;
  const step = 10n ** BigInt(Math.max(0, digits - 4));
  const rounded = ((nano + step / 2n) / step) * step;
  if (rounded >= 1_000_000_000n) return `${sign}$1.00`;
  const fraction = rounded.toString().padStart(NANO_DIGITS, "0").replace(/0+$/, "");
  return `${sign}$0.${fraction.padEnd(2, "0")}`;
}

/** Exact dollars from nano-USD, for tooltips and copies. */
export function exactCost(nanoUsd: string): string {
  const value = BigInt(nanoUsd);
  const nano = value < 0n ? -value : value;
  const fraction = (nano % 1_000_000_000n).toString().padStart(NANO_DIGITS, "0").replace(/0+$/, "");
  return `${value < 0n ? "-" : ""}$${nano / 1_000_000_000n}${fraction && `.${fraction}`}`;
}

function group(value: bigint): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

/** ms below a second, seconds below a minute, then minutes and seconds. */
export function formatDuration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return "—";
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(ms < 9_950 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, "0")}s`;
  return `${Math.floor(seconds / 3_600)}h ${String(Math.floor((seconds % 3_600) / 60)).padStart(2, "0")}m`;
}

const spanUnits = [
  [3_600, "hour"],
  [60, "minute"],
] as const;

/** A duration in words: "5 minutes", "5分钟". */
export function formatSpan(seconds: number, language: string): string {
  const [unitSeconds, unit] = spanUnits.find(([of]) => seconds % of === 0) ?? [1, "second"];
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(seconds / unitSeconds);
}

/** Whole seconds for a running timer: "7 s", "1m 07s". */
export function formatElapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  return seconds < 60 ? `${seconds} s` : formatDuration(seconds * 1_000);
}

const pasts = new Map<string, Intl.RelativeTimeFormat>();
const pastUnits = [
  [86_400_000, "day"],
  [3_600_000, "hour"],
  [60_000, "minute"],
] as const;

/** The time since then, in its largest unit: "4s ago", "4秒前". */
export function formatAgo(ms: number, language: string): string {
  let format = pasts.get(language);
  if (!format) {
    format = new Intl.RelativeTimeFormat(language, { style: "narrow" });
    pasts.set(language, format);
  }
  const [unitMs, unit] = pastUnits.find(([least]) => ms >= least) ?? ([1_000, "second"] as const);
  return format.format(-Math.max(0, Math.floor(ms / unitMs)), unit);
}

const compact = new Map<string, Intl.NumberFormat>();

/** 1.2K, 3.4M (en), 1.2万 (zh); exact below 10,000. */
export function formatCount(value: number, language: string): string {
  const key = value < 10_000 ? `${language}:plain` : language;
  let format = compact.get(key);
  if (!format) {
    format = new Intl.NumberFormat(language, value < 10_000 ? {} : { notation: "compact", maximumFractionDigits: 1 });
    compact.set(key, format);
  }
  return format.format(value);
}

const exact = new Map<string, Intl.NumberFormat>();

/** All digits, grouped. */
export function formatExact(value: number, language: string): string {
  let format = exact.get(language);
  if (!format) {
    format = new Intl.NumberFormat(language);
    exact.set(language, format);
  }
  return format.format(value);
}

/** 512 B, 3.4 MB: powers of 1,000, one decimal below a hundred. */
export function formatBytes(bytes: number, language: string): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1_000;
  return `${formatExact(value >= 100 || unit === 0 ? Math.round(value) : Math.round(value * 10) / 10, language)} ${units[unit]}`;
}

/** One decimal. Callers show the count as well when it is small. */
export function formatPercent(part: number, whole: number): string {
  if (whole === 0) return "—";
  const percent = (part / whole) * 100;
  // Avoids "0 %" and "100 %" for values that are only close.
  if (percent > 0 && percent < 0.05) return "<0.1%";
  if (percent >= 99.95 && percent < 100) return ">99.9%";
  return `${percent >= 100 || percent === 0 ? percent.toFixed(0) : percent.toFixed(1)}%`;
}

const two = (value: number): string => String(value).padStart(2, "0");

/** 14:03:07 with the ms separate, so that narrow panes can omit them. */
export function clockParts(ms: number): { time: string; ms: string } {
  const at = new Date(ms);
  return {
    time: `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`,
    ms: `.${String(at.getMilliseconds()).padStart(3, "0")}`,
  };
}

const dates = new Map<string, Intl.DateTimeFormat>();

/** A short local date ("Nov 21", "11月21日"). */
export function formatDay(ms: number, language: string): string {
  return dateFormat(`${language}:day`, language, { month: "short", day: "numeric" }).format(ms);
}

/** A full local date and time with its zone. */
export function formatDateTime(ms: number, language: string): string {
  return dateFormat(`${language}:full`, language, { dateStyle: "medium", timeStyle: "long" }).format(ms);
}

/** A local date with its year. */
export function formatDate(ms: number, language: string): string {
  return dateFormat(`${language}:date`, language, { dateStyle: "medium" }).format(ms);
}

function dateFormat(key: string, language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  let format = dates.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(language, options);
    dates.set(key, format);
  }
  return format;
}
