import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { localUrl } from "./server-url.ts";

/** The environment, read once at boot. All problems are reported together, by name and without the values, which may be secrets. */
export interface Env {
  host: string;
  port: number;
  /** A separate port for console, API, health and metrics; null = everything on `port`. */
  consolePort: number | null;
  databaseUrl: string | null;
  /** "none" = in process on purpose; null = a private server if one is installed. */
  redisUrl: string | null;
  dataDir: string;
  /** null = generated once and stored in the data directory. */
  secret: string | null;
  roles: ReadonlySet<Role>;
  admin: { email: string; password: string } | null;
  configPath: string | null;
  allowPrivateUpstreams: string[];
  metricsToken: string | null;
  /** Origin at which people reach the console; null = derived from host and port. */
  publicUrl: string | null;
  /** Number of trusted proxies in front that append to X-Forwarded-For. */
  trustedHops: number;
  /** Overrides VERSION and package.json. */
  version: string | null;
  logLevel: "debug" | "info" | "warn" | "error";
  /** How long requests in flight may continue after SIGTERM. */
  drainSeconds: number;
  /** All variables, for `{ env: NAME }` in the configuration file. */
  variables: Readonly<Record<string, string | undefined>>;
  /** null = no tracing, and OpenTelemetry is not loaded. */
  tracing: TracingEnv | null;
  /** Test builds only: `name:kill@n` or `name:throw@n`, see packages/ledger. */
  failpoint: string | null;
  /** Test builds only: spool segments small enough to rotate; null = the ledger's default. */
  segmentBytes: number | null;
}

/** Endpoint, headers and compression are read by the exporter itself, from the standard OTEL_EXPORTER_OTLP_* variables. */
export interface TracingEnv {
  serviceName: string;
  sampler: (typeof samplers)[number];
  /** Share of traces that start here, for the ratio samplers. */
  share: number;
}

/** https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables */
const samplers = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
] as const;

type Role = "gateway" | "api" | "worker";

/** Thrown with one line per problem. */
export class EnvError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(
      `The environment has ${problems.length} problem${problems.length === 1 ? "" : "s"}:\n${problems.map((line) => `  ${line}`).join("\n")}`,
    );
    this.name = "EnvError";
    this.problems = problems;
  }
}

/** `Number` alone reads a blank as 0: a random port, and no time to drain. */
const whole = (least: number, most: number) =>
  z
    .string()
    .trim()
    .regex(/^\d+$/, `must be a whole number from ${least} to ${most}`)
    .transform(Number)
    .pipe(z.number().min(least).max(most));
const port = whole(0, 65_535);
const defaultPort = 4000;
const list = z.string().transform((text) =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean),
);

/** What a password in a URL needs. */
const encoded = "with # % / ? of a password as %23 %25 %2F %3F";
const noPostgres = `must be a postgres:// URL, ${encoded}`;
const noRedis = `must be none or a redis:// or rediss:// URL, ${encoded}`;

/** The drivers decode what `URL` leaves as it is, and throw without naming the variable. */
function isDecodable(url: string): boolean {
  try {
    return decodeURIComponent(url) !== "";
  } catch {
    return false;
  }
}

const schema = z.object({
  HOST: z
    .string()
    .refine((host) => URL.canParse(localUrl(host, 80)), "must be an address or a host name, without brackets")
    .default("127.0.0.1"),
  PORT: port.default(defaultPort),
  CONSOLE_PORT: port.optional(),
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: noPostgres, abort: true })
    .refine(isDecodable, noPostgres)
    .optional(),
  REDIS_URL: z
    .union([z.literal("none"), z.url({ protocol: /^rediss?$/, error: noRedis })], noRedis)
    .refine(isDecodable, noRedis)
    .optional(),
  SLUICE_DATA_DIR: z.string().min(1).default(".sluice"),
  SLUICE_SECRET: z.string().min(16, "must have at least 16 characters").optional(),
  SLUICE_ROLES: list.pipe(z.array(z.enum(["gateway", "api", "worker"])).min(1, "must name a role")).default(["gateway", "api", "worker"]),
  SLUICE_ADMIN_EMAIL: z.email("must be an e-mail address").optional(),
  SLUICE_ADMIN_PASSWORD: z.string().min(10, "must have at least 10 characters").max(256).optional(),
  SLUICE_CONFIG: z.string().min(1).optional(),
  SLUICE_ALLOW_PRIVATE_UPSTREAMS: list.default([]),
  SLUICE_METRICS_TOKEN: z.string().min(16, "must have at least 16 characters").optional(),
  SLUICE_PUBLIC_URL: z.url({ protocol: /^https?$/, error: "must be an http(s) URL" }).optional(),
  SLUICE_TRUSTED_HOPS: whole(0, 16).default(0),
  SLUICE_VERSION: z.string().max(80).optional(),
  SLUICE_LOG_LEVEL: z.enum(["debug", "info", "warn", "error"]).default("info"),
  SLUICE_DRAIN_SECONDS: whole(0, 3_600).default(30),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/, error: "must be an http(s) URL" }).optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.url({ protocol: /^https?$/, error: "must be an http(s) URL" }).optional(),
  OTEL_SDK_DISABLED: z.string().optional(),
  OTEL_SERVICE_NAME: z.string().min(1).default("sluice"),
  OTEL_TRACES_SAMPLER: z.enum(samplers).default("parentbased_always_on"),
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).default(1),
  SLUICE_FAILPOINT: z.string().optional(),
  SLUICE_SEGMENT_BYTES: z.coerce.number().int().min(4_096).optional(),
});

/** Every variable that is read. */
export const variableNames: readonly string[] = Object.keys(schema.shape);

/** Variables whose value may come from a file named by `<NAME>_FILE` (container secrets). */
const fileVariants = ["DATABASE_URL", "REDIS_URL", "SLUICE_SECRET", "SLUICE_ADMIN_PASSWORD", "SLUICE_METRICS_TOKEN"] as const;

function withFiles(source: NodeJS.ProcessEnv, problems: string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const name of variableNames) if (source[name]) values[name] = source[name];
  for (const name of fileVariants) {
    const path = source[`${name}_FILE`];
    if (!path) continue;
    if (values[name]) problems.push(`${name} and ${name}_FILE are both set: keep only one`);
    else if (!existsSync(path)) problems.push(`${name}_FILE names a file that does not exist`);
    else {
      try {
        const text = readFileSync(path, "utf8").trim();
        if (text === "") problems.push(`${name}_FILE names a file that is empty`);
        else values[name] = text;
      } catch {
        problems.push(`${name}_FILE names a file that cannot be read`);
      }
    }
  }
  return values;
}

function unknownNames(source: NodeJS.ProcessEnv): string[] {
  const known = new Set<string>([...variableNames, ...fileVariants.map((name) => `${name}_FILE`)]);
  return Object.keys(source).filter((name) => name.startsWith("SLUICE_") && !known.has(name) && !name.startsWith("SLUICE_E2E_"));
}

/**
 * Reads the environment.
 * @throws EnvError with every problem at once.
 */
export function readEnv(source: NodeJS.ProcessEnv = process.env): Env {
  const problems: string[] = [];
  const parsed = schema.safeParse(withFiles(source, problems));
  if (!parsed.success) {
    for (const issue of parsed.error.issues) problems.push(`${issue.path[0]?.toString() ?? "?"}: ${issue.message}`);
  }
  for (const name of unknownNames(source)) problems.push(`${name} is not a variable of Sluice: check the spelling`);
  const emailSet = Boolean(source.SLUICE_ADMIN_EMAIL);
  const passwordSet = Boolean(source.SLUICE_ADMIN_PASSWORD || source.SLUICE_ADMIN_PASSWORD_FILE);
  if (emailSet !== passwordSet) problems.push("SLUICE_ADMIN_EMAIL and SLUICE_ADMIN_PASSWORD belong together: set both or neither");
  if (source.CONSOLE_PORT && Number(source.CONSOLE_PORT) !== 0 && Number(source.CONSOLE_PORT) === Number(source.PORT || defaultPort))
    problems.push("CONSOLE_PORT and PORT are the same: leave CONSOLE_PORT unset to serve everything on one port");
  if (problems.length || !parsed.success) throw new EnvError(problems);
  return { ...toEnv(parsed.data), variables: source };
}

function toEnv(values: z.infer<typeof schema>): Omit<Env, "variables"> {
  return {
    host: values.HOST,
    port: values.PORT,
    consolePort: values.CONSOLE_PORT ?? null,
    databaseUrl: values.DATABASE_URL ?? null,
    redisUrl: values.REDIS_URL ?? null,
    dataDir: resolve(values.SLUICE_DATA_DIR),
    secret: values.SLUICE_SECRET ?? null,
    roles: new Set(values.SLUICE_ROLES),
    admin:
      values.SLUICE_ADMIN_EMAIL && values.SLUICE_ADMIN_PASSWORD
        ? { email: values.SLUICE_ADMIN_EMAIL, password: values.SLUICE_ADMIN_PASSWORD }
        : null,
    configPath: values.SLUICE_CONFIG ? resolve(values.SLUICE_CONFIG) : null,
    allowPrivateUpstreams: values.SLUICE_ALLOW_PRIVATE_UPSTREAMS,
    metricsToken: values.SLUICE_METRICS_TOKEN ?? null,
    publicUrl: values.SLUICE_PUBLIC_URL?.replace(/\/+$/, "") ?? null,
    trustedHops: values.SLUICE_TRUSTED_HOPS,
    version: values.SLUICE_VERSION ?? null,
    logLevel: values.SLUICE_LOG_LEVEL,
    drainSeconds: values.SLUICE_DRAIN_SECONDS,
    tracing: tracingOf(values),
    failpoint: values.SLUICE_FAILPOINT ?? null,
    segmentBytes: values.SLUICE_SEGMENT_BYTES ?? null,
  };
}

function tracingOf(values: z.infer<typeof schema>): TracingEnv | null {
  const isWanted = values.OTEL_EXPORTER_OTLP_ENDPOINT ?? values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
  if (isWanted === undefined || values.OTEL_SDK_DISABLED?.toLowerCase() === "true") return null;
  return { serviceName: values.OTEL_SERVICE_NAME, sampler: values.OTEL_TRACES_SAMPLER, share: values.OTEL_TRACES_SAMPLER_ARG };
}

/** The version of the release, from the first of: the environment, the file VERSION, package.json. Read once at start. */
export function readVersion(env: Pick<Env, "version">, folder: string): string {
  if (env.version) return env.version;
  const file = join(folder, "VERSION");
  if (existsSync(file)) return readFileSync(file, "utf8").trim();
  const manifest: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : "0.0.0";
}
