import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The key that configuration files of tests give to `caller@example.com`. */
export const clientKey = "sk-test-client-0123456789";

export interface ProviderEntry {
  name: string;
  dialect: "anthropic" | "openai" | "gemini";
  secret: string;
  priority?: number;
  modelRedirects?: Record<string, string>;
  costMultiplier?: string;
}

/** Writes a configuration file (JSON is valid YAML) and returns the environment variables that the server needs for it. */
export async function configure(
  dir: string,
  upstream: { url: string; port: number },
  config: {
    providers: ProviderEntry[];
    models: string[];
    settings?: Record<string, unknown>;
    keys?: Record<string, unknown>[];
    /** Besides the caller. */
    users?: Record<string, unknown>[];
  },
): Promise<Record<string, string>> {
  const path = join(dir, "sluice.yaml");
  const providers = config.providers.map((provider) => ({
    ...provider,
    baseUrl: provider.dialect === "openai" ? `${upstream.url}/v1` : upstream.url,
  }));
  const keys = config.keys ?? [{ name: "caller", key: clientKey }];
  const users = [{ email: "caller@example.com", name: "Caller", keys }, ...(config.users ?? [])];
  const prices = config.models.map((model) => ({ model, inputPerMTok: "3", outputPerMTok: "15" }));
  await writeFile(path, JSON.stringify({ providers, users, prices, settings: config.settings ?? {} }));
  return { SLUICE_CONFIG: path, SLUICE_ALLOW_PRIVATE_UPSTREAMS: `127.0.0.1:${upstream.port}` };
}

/** One Anthropic provider for any model; the given models are priced, and each is redirected to its scenario (`model@scenario`). */
export function oneProvider(models: Record<string, string>): { providers: ProviderEntry[]; models: string[] } {
  const modelRedirects = Object.fromEntries(Object.entries(models).map(([model, scenario]) => [model, `${model}@${scenario}`]));
  return { providers: [{ name: "only", dialect: "anthropic", secret: "sk-upstream-0001", modelRedirects }], models: Object.keys(models) };
}
