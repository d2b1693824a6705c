import { firstIdAt } from "@sluice/core/ids";
import { type Random, seededRandom } from "./seeded-random.ts";

/**
 * Requests with the skew of an installation that is some years old: one user makes a sixth of all requests and most make few, keys keep
 * to three models, models to a few providers, one bot runs everything in a single session, a provider and some models were given up long
 * ago, three requests share a millisecond. The same seed gives the same rows.
 */
export interface SkewedLogOptions {
  rows: number;
  fromMs: number;
  toMs: number;
  users: number;
  keysPerUser: number;
  providers: number;
  models: number;
}

/** Providers and models above this share of their number are no longer used after a quarter of the time. */
const RETIRED_FROM = 0.9;
const RETIRED_AFTER = 0.25;
/** A session of a key lasts for this many rows of the log. */
const SESSION_ROWS = 4_000;

type Kind = "user" | "key" | "provider" | "model";
const marks = { user: "8000", key: "9000", provider: "a000" } as const;

/** The n-th of a kind; low numbers are used most. */
export function skewedId(kind: Kind, n: number): string {
  return kind === "model" ? `model-${n}` : `019aa400-0000-7000-${marks[kind]}-${n.toString(16).padStart(12, "0")}`;
}

/** The bot's session: a third of the requests by the first user's first key. */
export const botSession = "bot";

/** Columns of {@link skewedRows}, in order. */
export const skewedColumns = `id, settled_seq, tenant_id, user_id, key_id, session_id, provider_id, "group", dialect, endpoint, stream, model,
  upstream_model, state, status, error_code, attempts, input_tokens, output_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
  cache_read_tokens, flags, cost_nano_usd, upstream_cost_nano_usd, price_id, billable, started_at, ttft_ms, duration_ms, client, corrects_id`;

/** The rows as text for COPY, oldest first, in chunks of a few hundred rows. */
export function* skewedRows(options: SkewedLogOptions): Generator<string> {
  const random = seededRandom(20_261_128);
  let piece = "";
  for (let i = 0; i < options.rows; i++) {
    piece += rowOf(options, i, random);
    if (i % 500 === 499) {
      yield piece;
      piece = "";
    }
  }
  if (piece !== "") yield piece;
}

function rowOf(options: SkewedLogOptions, i: number, random: Random): string {
  const age = i / options.rows;
  const ms = options.fromMs + Math.floor((Math.floor(i / 3) * 3 * (options.toMs - options.fromMs)) / options.rows);
  const user = skewed(options.users, random, 4);
  const key = user * options.keysPerUser + skewed(options.keysPerUser, random, 2);
  const model = unlessRetired(options.models, Math.floor(options.models * spread(key * 3 + skewed(3, random, 2)) ** 3), age);
  const provider = unlessRetired(options.providers, Math.floor(options.providers * spread(model * 4 + skewed(4, random, 2)) ** 2), age);
  const end = endOf(random());
  const session = key === 0 && random() < 1 / 3 ? botSession : `${key}-${Math.floor(i / SESSION_ROWS)}`;
  const [input, output] = [Math.floor(random() * 8_000), Math.floor(random() * 1_500)];
  const cost = random() < 0.01 ? "\\N" : end.state === "refused" ? 0 : input * 3_000 + output * 15_000;
  const fields = [
    ...[idAt(ms, i), i + 1, "default", skewedId("user", user), skewedId("key", key), session],
    ...[end.state === "refused" ? "" : skewedId("provider", provider), user % 10 === 9 ? "team" : "default"],
    ...[dialectOf(model), "chat", "t", skewedId("model", model), skewedId("model", model), end.state, end.status, end.errorCode],
    ...[end.state === "error" ? 3 : random() < 0.03 ? 2 : 1, input, output, 0, 0, 0, "{}", cost, 0, "\\N"],
    ...[end.state === "refused" ? "f" : "t", new Date(ms).toISOString(), end.state === "done" ? 400 : "\\N", 2_000],
    ...[`client-${skewed(20, random, 4)}`, "\\N"],
  ];
  return `${fields.join("\t")}\n`;
}

/** The i-th id of a millisecond. */
function idAt(ms: number, i: number): string {
  return firstIdAt(ms).slice(0, -12) + i.toString(16).padStart(12, "0");
}

const done = { state: "done", status: 200, errorCode: "" };
/** 5 % fail, 2 % are refused, 1 % are aborted by their client. */
const ends: readonly [below: number, end: typeof done][] = [
  [0.03, { state: "error", status: 502, errorCode: "upstream_error" }],
  [0.045, { state: "error", status: 429, errorCode: "upstream_rate_limited" }],
  [0.05, { state: "error", status: 400, errorCode: "upstream_error" }],
  [0.07, { state: "refused", status: 429, errorCode: "rate_limited" }],
  [0.08, { state: "aborted", status: 200, errorCode: "" }],
];

function endOf(share: number): typeof done {
  return ends.find(([below]) => share < below)?.[1] ?? done;
}

function dialectOf(model: number): string {
  return model % 20 === 19 ? "gemini" : model % 3 === 2 ? "openai" : "anthropic";
}

function unlessRetired(count: number, n: number, age: number): number {
  const first = Math.floor(count * RETIRED_FROM);
  return n >= first && age > RETIRED_AFTER ? n - first : n;
}

/** 0 … count - 1; the higher the power, the more often low numbers. */
function skewed(count: number, random: Random, power: number): number {
  return Math.floor(count * random() ** power);
}

/** A fixed pseudo-random value in [0, 1) for a number: the preferences of a key. */
function spread(n: number): number {
  return seededRandom(n * 2_654_435_761)();
}
