export const clients = ["claude", "codex", "gemini", "openai", "curl"] as const;
export type Client = (typeof clients)[number];

interface Snippet {
  name: string;
  blocks: { title: string; code: string }[];
}

/** What to paste where, per client. Addresses are as each client takes them: OpenAI's with `/v1`, the others without. */
export function snippetsOf(baseUrl: string, secret: string, model = "claude-sonnet-4-5"): Record<Client, Snippet> {
  const base = baseUrl.replace(/\/+$/, "");
  return {
    claude: {
      name: "Claude Code",
      blocks: [{ title: "shell", code: `export ANTHROPIC_BASE_URL="${base}"\nexport ANTHROPIC_AUTH_TOKEN="${secret}"\nclaude` }],
    },
    codex: {
      name: "Codex",
      blocks: [
        {
          title: "~/.codex/config.toml",
          code: `model_provider = "sluice"\n\n[model_providers.sluice]\nname = "Sluice"\nbase_url = "${base}/v1"\nwire_api = "responses"\nenv_key = "SLUICE_API_KEY"`,
        },
        { title: "shell", code: `export SLUICE_API_KEY="${secret}"\ncodex` },
      ],
    },
    gemini: {
      name: "Gemini CLI",
      blocks: [{ title: "~/.gemini/.env", code: `GOOGLE_GEMINI_BASE_URL="${base}"\nGEMINI_API_KEY="${secret}"` }],
    },
    openai: {
      name: "OpenAI SDK",
      blocks: [
        {
          title: "python",
          code: `from openai import OpenAI\n\nclient = OpenAI(\n    base_url="${base}/v1",\n    api_key="${secret}",\n)`,
        },
      ],
    },
    curl: { name: "curl", blocks: [{ title: "shell", code: curl(base, secret, model) }] },
  };
}

function curl(base: string, secret: string, model: string): string {
  const body = (extra: object) => JSON.stringify({ model, ...extra, messages: [{ role: "user", content: "Hello" }] });
  if (model.startsWith("claude"))
    return `curl ${base}/v1/messages \\\n  -H "x-api-key: ${secret}" \\\n  -H "anthropic-version: 2023-06-01" \\\n  -H "content-type: application/json" \\\n  -d '${body({ max_tokens: 64 })}'`;
  if (model.startsWith("gemini"))
    return `curl ${base}/v1beta/models/${model}:generateContent \\\n  -H "x-goog-api-key: ${secret}" \\\n  -H "content-type: application/json" \\\n  -d '{"contents":[{"parts":[{"text":"Hello"}]}]}'`;
  return `curl ${base}/v1/chat/completions \\\n  -H "authorization: Bearer ${secret}" \\\n  -H "content-type: application/json" \\\n  -d '${body({})}'`;
}
