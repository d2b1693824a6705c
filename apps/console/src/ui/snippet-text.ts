export const clients = ["claude", "codex", "gemini", "openai", "curl"] as const;
export type Client = (typeof clients)[number];

/** Where commands are entered: shells quote and set variables differently. */
export const systems = ["unix", "powershell", "cmd"] as const;
export type System = (typeof systems)[number];
export const systemNames = { unix: "macOS / Linux", powershell: "PowerShell", cmd: "CMD" } as const;

interface Snippet {
  name: string;
  blocks: { title: string; code: string }[];
  /** Opens CC Switch with everything filled in; absent for clients that it does not manage. */
  importUrl?: string;
}

interface SnippetOptions {
  system?: System;
  /** Model in the curl example. */
  model?: string;
}

/** What to paste where, per client. Addresses are in the form that each client expects: OpenAI's with `/v1`, the others without. */
export function snippetsOf(baseUrl: string, secret: string, options: SnippetOptions = {}): Record<Client, Snippet> {
  const { system = "unix", model = "claude-sonnet-4-5" } = options;
  const base = baseUrl.replace(/\/+$/, "");
  const shell = (variables: Record<string, string>, command: string) => ({
    title: systemNames[system],
    code: [...Object.entries(variables).map(([name, value]) => setVariable(system, name, value)), command].join("\n"),
  });
  const home = system === "unix" ? "~/" : "%USERPROFILE%\\";
  const file = (path: string) => home + (system === "unix" ? path : path.replaceAll("/", "\\"));
  return {
    claude: {
      name: "Claude Code",
      blocks: [
        shell({ ANTHROPIC_BASE_URL: base, ANTHROPIC_AUTH_TOKEN: secret }, "claude"),
        {
          title: file(".claude/settings.json"),
          code: JSON.stringify({ env: { ANTHROPIC_BASE_URL: base, ANTHROPIC_AUTH_TOKEN: secret } }, null, 2),
        },
      ],
      importUrl: ccSwitchUrl("claude", base, base, secret),
    },
    codex: {
      name: "Codex",
      blocks: [
        {
          title: file(".codex/config.toml"),
          code: `model_provider = "sluice"\n\n[model_providers.sluice]\nname = "Sluice"\nbase_url = "${base}/v1"\nwire_api = "responses"\nenv_key = "SLUICE_API_KEY"`,
        },
        shell({ SLUICE_API_KEY: secret }, "codex"),
      ],
      importUrl: ccSwitchUrl("codex", base, `${base}/v1`, secret),
    },
    gemini: {
      name: "Gemini CLI",
      blocks: [
        // With only a custom address configured, the CLI ignores the key and refuses to run without a terminal.
        { title: file(".gemini/settings.json"), code: JSON.stringify({ security: { auth: { selectedType: "gemini-api-key" } } }, null, 2) },
        { title: file(".gemini/.env"), code: `GOOGLE_GEMINI_BASE_URL="${base}"\nGEMINI_API_KEY="${secret}"` },
        shell({ GOOGLE_GEMINI_BASE_URL: base, GEMINI_API_KEY: secret }, "gemini"),
      ],
      importUrl: ccSwitchUrl("gemini", base, base, secret),
    },
    openai: {
      name: "OpenAI SDK",
      blocks: [
        shell({ OPENAI_BASE_URL: `${base}/v1`, OPENAI_API_KEY: secret }, "python app.py"),
        {
          title: "python",
          code: `from openai import OpenAI\n\nclient = OpenAI(\n    base_url="${base}/v1",\n    api_key="${secret}",\n)`,
        },
      ],
    },
    curl: { name: "curl", blocks: [{ title: systemNames[system], code: curlCommand(system, callOf(base, secret, model)) }] },
  };
}

function setVariable(system: System, name: string, value: string): string {
  if (system === "powershell") return `$env:${name} = "${value}"`;
  return system === "cmd" ? `set "${name}=${value}"` : `export ${name}="${value}"`;
}

/** The URL scheme of CC Switch; similar tools read the same parameters. */
function ccSwitchUrl(app: "claude" | "codex" | "gemini", homepage: string, endpoint: string, apiKey: string): string {
  const fields = { resource: "provider", app, name: "Sluice", homepage, endpoint, apiKey };
  return `ccswitch://v1/import?${Object.entries(fields)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join("&")}`;
}

/** A call for {@link curlCommand}. */
export interface CurlCall {
  /** Absent: GET, or POST if there is a body. */
  method?: string;
  url: string;
  /** Passed through unchanged: `-b cookies.txt`. */
  options?: readonly string[];
  /** `name: value`. */
  headers: readonly string[];
  body?: object;
}

function callOf(base: string, secret: string, model: string): CurlCall {
  const messages = [{ role: "user", content: "Hello" }];
  if (model.startsWith("claude"))
    return {
      url: `${base}/v1/messages`,
      headers: [`x-api-key: ${secret}`, "anthropic-version: 2023-06-01"],
      body: { model, max_tokens: 64, messages },
    };
  if (model.startsWith("gemini"))
    return {
      url: `${base}/v1beta/models/${model}:generateContent`,
      headers: [`x-goog-api-key: ${secret}`],
      body: { contents: [{ parts: [{ text: "Hello" }] }] },
    };
  return { url: `${base}/v1/chat/completions`, headers: [`authorization: Bearer ${secret}`], body: { model, messages } };
}

/**
 * A call in the syntax of a shell: PowerShell's `curl` is an alias for something else, hence curl.exe; CMD only supports double quotes.
 */
export function curlCommand(system: System, { method, url, options = [], headers, body }: CurlCall): string {
  const program = system === "powershell" ? "curl.exe" : "curl";
  const lines = [
    `${program} ${method ? `-X ${method} ` : ""}${/[?&]/.test(url) ? `"${url}"` : url}`,
    ...options,
    ...[...headers, ...(body ? ["content-type: application/json"] : [])].map((header) => `-H "${header}"`),
    ...(body ? [`-d ${quotedJson(system, JSON.stringify(body))}`] : []),
  ];
  return lines.join({ unix: " \\\n  ", powershell: " `\n  ", cmd: " ^\n  " }[system]);
}

function quotedJson(system: System, json: string): string {
  if (system === "unix") return `'${json}'`;
  // Windows PowerShell removes inner quotes when it starts a program, unless they are escaped.
  const escaped = json.replaceAll('"', '\\"');
  return system === "cmd" ? `"${escaped}"` : `'${escaped}'`;
}

/**
 * The address that clients put before `/v1`. A server without a configured public address only knows its own machine's; a reader
 * elsewhere has used a better one to get here.
 */
export function clientBaseUrl(configured: string, page: { origin: string; hostname: string }): string {
  const isLoopback = (host: string) => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(host);
  const host = URL.parse(configured)?.hostname ?? "";
  return isLoopback(host) && !isLoopback(page.hostname) ? page.origin : configured;
}
