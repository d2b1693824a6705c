/**
 * What the scripted provider shall do with a request. A script is written `name[,value][,key=value…]`, and several are joined by `+`
 * ("tool+crlf", "cut,3,how=fin"). It follows an `@` in the model name or in the secret, so that it survives a gateway that strips
 * headers.
 */
export interface Scenario {
  content: "text" | "tool" | "thinking" | "empty" | "trick" | "bigline";
  /** Words of text, one per chunk. */
  words: number;
  /** Tool calls in one answer. */
  calls: number;
  /** A tool offered by the client to call once, with this input; null: a tool that no client has. */
  tool: { name: string; input: Record<string, string>; isCustom: boolean } | null;
  /** Pause before each chunk, in ms. */
  chunkMs: number;
  /** Pause before the head, in ms. */
  headMs: number;
  fault: Fault | null;
  oddUsage: OddUsage | null;
  transport: "plain" | "onebyte" | "crlf" | "cr" | "bom" | "gzip" | "deflate" | "br" | "zstd" | "chained" | "bomb";
  cacheRead: number;
  cacheWrite5m: number;
  cacheWrite1h: number;
  bigLineBytes: number;
  /** A different script for each request in turn, which makes a demo look alive. */
  mixed: boolean;
}

export type OddUsage = "negative" | "string" | "missing" | "huge" | "fraction" | "null";

export type Fault =
  /**
   * An HTTP error instead of an answer; `every` > 1: only each n-th request; `first` > 0: only the first n requests. `retryAfter`:
   * seconds, or a date that many seconds ahead (`date:90`).
   */
  | { kind: "status"; status: number; retryAfter: string; every: number; first: number; message?: string }
  /** An error event after this many content chunks (0: before the first). */
  | { kind: "event"; after: number; error: "overloaded" | "internal" | "invalid" }
  /** Silence after this many content chunks; -1: not even a head. */
  | { kind: "stall"; after: number }
  /** The connection ends without a terminal event: by reset, plain FIN, or an unfulfilled content-length. */
  | { kind: "cut"; after: number; how: "reset" | "fin" | "length" }
  | { kind: "redirect"; to: string }
  /** A status 200 with a useless body: a page, unrelated JSON, or an event that never ends. */
  | { kind: "nonsense"; what: "html" | "json" | "endless" };

export const plain: Scenario = {
  content: "text",
  words: 20,
  calls: 1,
  tool: null,
  chunkMs: 0,
  headMs: 0,
  fault: null,
  oddUsage: null,
  transport: "plain",
  cacheRead: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  bigLineBytes: 0,
  mixed: false,
};

/** The scripts that `mixed` rotates through; mostly healthy. */
const mix = [
  "slow,60",
  "long,120+slow,40",
  "tool+slow,150",
  "cache+slow,80",
  "plain,35+slow,70",
  "thinking+slow,120",
  "plain,12+slow,90",
  "late,1500+slow,50",
  "long,80+slow,60",
  "error-mid",
  "slow,120",
  "plain,50+slow,45",
  "cache,read=900+slow,60",
  "error-before,503",
  "tool+slow,100",
  "plain,25+slow,75",
];

interface Args {
  /** The bare value: the script's main parameter. */
  value: string | undefined;
  text(key: string, fallback: string): string;
  number(key: string, fallback: number): number;
  /** A number that may also be the bare value. */
  main(key: string, fallback: number): number;
  /** All pairs `key=value`, percent-decoded. */
  pairs(): Record<string, string>;
}

const oneOf = <T extends string>(value: string, allowed: readonly T[], fallback: T): T => allowed.find((one) => one === value) ?? fallback;
const odds: readonly OddUsage[] = ["negative", "string", "missing", "huge", "fraction", "null"];
const errors = ["overloaded", "internal", "invalid"] as const;

const status = (code: number, args: Args): Fault => ({
  kind: "status",
  status: code,
  retryAfter: args.text("retry", ""),
  every: args.number("every", 1),
  first: args.number("first", 0),
});

/** The meaning of each script; the bare value after the first comma is its main parameter. */
const scripts: Record<string, (args: Args) => Partial<Scenario>> = {
  plain: (args) => ({ words: args.main("n", 20) }),
  tool: (args) => ({ content: "tool", calls: args.main("n", 1) }),
  use: (args) => ({ tool: { name: args.value ?? "", input: args.pairs(), isCustom: false } }),
  thinking: () => ({ content: "thinking" }),
  empty: () => ({ content: "empty", words: 0 }),
  trick: () => ({ content: "trick" }),
  long: (args) => ({ words: args.main("n", 2000) }),
  slow: (args) => ({ chunkMs: args.main("ms", 100) }),
  late: (args) => ({ headMs: args.main("ms", 1000) }),
  stall: (args) => ({ fault: { kind: "stall", after: args.main("after", 5) } }),
  hang: () => ({ fault: { kind: "stall", after: -1 } }),
  cut: (args) => ({
    fault: { kind: "cut", after: args.main("after", 5), how: oneOf(args.text("how", "reset"), ["reset", "fin", "length"], "reset") },
  }),
  "error-before": (args) => ({ fault: status(args.main("status", 500), args) }),
  "error-first": (args) => ({ fault: { kind: "event", after: 0, error: oneOf(args.value ?? "", errors, "overloaded") } }),
  "error-mid": (args) => ({
    fault: { kind: "event", after: args.main("after", 5), error: oneOf(args.text("error", "overloaded"), errors, "overloaded") },
  }),
  "rate-limited": (args) => ({ fault: { ...status(429, args), retryAfter: args.value ?? args.text("retry", "7") } as Fault }),
  overloaded: (args) => ({ fault: status(529, args) }),
  auth: (args) => ({ fault: status(401, args) }),
  quota: (args) => ({
    fault: { ...status(args.main("status", 429), args), message: "You exceeded your current quota: insufficient_quota." } as Fault,
  }),
  "no-credit": (args) => ({
    fault: { ...status(args.main("status", 400), args), message: "Your credit balance is too low to access this API." } as Fault,
  }),
  "no-answer": (args) => ({ fault: { kind: "nonsense", what: oneOf(args.value ?? "", ["html", "json", "endless"], "html") } }),
  flaky: (args) => ({ fault: { ...status(args.number("status", 503), args), every: args.main("every", 3) } as Fault }),
  "odd-usage": (args) => ({ oddUsage: oneOf(args.value ?? "", odds, "negative") }),
  cache: (args) => ({
    cacheRead: args.number("read", 100),
    cacheWrite5m: args.number("write5m", 50),
    cacheWrite1h: args.number("write1h", 20),
  }),
  onebyte: () => ({ transport: "onebyte" }),
  bigline: (args) => ({ content: "bigline", bigLineBytes: args.main("bytes", 1_000_000) }),
  crlf: () => ({ transport: "crlf" }),
  cr: () => ({ transport: "cr" }),
  gzip: () => ({ transport: "gzip" }),
  bom: () => ({ transport: "bom" }),
  deflate: () => ({ transport: "deflate" }),
  br: () => ({ transport: "br" }),
  zstd: () => ({ transport: "zstd" }),
  chained: () => ({ transport: "chained" }),
  bomb: () => ({ transport: "bomb" }),
  mixed: () => ({ mixed: true }),
  redirect: (args) => ({ fault: { kind: "redirect", to: args.value ?? args.text("to", "/__redirected") } }),
};
const aliases: Record<string, string> = { "429": "rate-limited", "529": "overloaded", "401": "auth" };

function parseOne(text: string): Partial<Scenario> | null {
  const [name = "", ...rest] = text.split(",");
  const script = Object.hasOwn(scripts, aliases[name] ?? name) ? scripts[aliases[name] ?? name] : undefined;
  if (!script) return null;
  const value = rest.find((part) => !part.includes("="));
  const pairs = rest.filter((part) => part.includes("="));
  const named = new Map(pairs.map((part) => [part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1)]));
  const toNumber = (text: string | undefined, fallback: number) => (text && Number.isFinite(Number(text)) ? Number(text) : fallback);
  return script({
    value,
    text: (key, fallback) => named.get(key) ?? fallback,
    number: (key, fallback) => toNumber(named.get(key), fallback),
    main: (key, fallback) => toNumber(named.get(key) ?? value, fallback),
    pairs: () => Object.fromEntries([...named].map(([key, text]) => [key, decodeURIComponent(text)])),
  });
}

/** A script as changes to a plain answer; null if a part of it is unknown. */
export function parseScenario(text: string): Partial<Scenario> | null {
  let merged: Partial<Scenario> = {};
  for (const part of text.split("+")) {
    const one = parseOne(part.trim());
    if (!one) return null;
    merged = { ...merged, ...one };
  }
  return merged;
}

/** The scenario of the n-th request: itself, or for a mixed one the n-th of the mix. */
export function turnOf(scenario: Scenario, n: number): Scenario {
  return scenario.mixed ? { ...plain, ...parseScenario(mix[n % mix.length] ?? "plain") } : scenario;
}

/** The script after the `@` of a model name or secret; null if there is none, or it is unknown. */
export function scenarioOf(name: string): Partial<Scenario> | null {
  const at = name.indexOf("@");
  return at < 0 ? null : parseScenario(name.slice(at + 1));
}
