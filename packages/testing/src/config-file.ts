import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A key that configuration files of these tests give to `caller@example.com`. */
export const clientKey = "sk-test-client-0123456789";

export interface ProviderEntry {
  name: string;
  dialect: "anthropic" | "openai" | "gemini";
  secret: string;
  priority?: number;
  modelRedirects?: Record<string, string>;
  costMultiplier?: string;
}

/** Writes a configuration file (JSON is YAML) and gives what the server's environment needs for it. */
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

/** One Anthropic provider for any model; the models named are priced, and their scenario stands behind the `@`. */
export function oneProvider(models: Record<string, string>): { providers: ProviderEntry[]; models: string[] } {
  const modelRedirects = Object.fromEntries(Object.entries(models).map(([model, scenario]) => [model, `${model}@${scenario}`]));
  return { providers: [{ name: "only", dialect: "anthropic", secret: "sk-upstream-0001", modelRedirects }], models: Object.keys(models) };
}
