import { CreateProviderInput, type TestProviderInput, UpdateProviderInput } from "@sluice/core/inputs/provider";
import { type LimitValues, limitsInput, limitValuesOf } from "../limits/limit-form.ts";
import { items } from "../ui/use-input-form.ts";
import type { Provider } from "./provider.ts";
import { type OptionValues, optionsInput, optionValuesOf, pairLines, readPairs } from "./provider-option-form.ts";

/** The form's values, as typed. */
export interface ProviderValues extends LimitValues, OptionValues {
  name: string;
  dialect: "anthropic" | "openai" | "gemini";
  serves: string[];
  baseUrl: string;
  secret: string;
  groups: string;
  priority: string;
  weight: string;
  models: string;
  modelRedirects: string;
  costMultiplier: string;
  enabled: boolean;
}

export const defaultBaseUrls = {
  anthropic: "https://api.anthropic.com",
  openai: "https://api.openai.com/v1",
  gemini: "https://generativelanguage.googleapis.com",
} as const;

/** Names that are suggested where a form does not begin with an empty one; like the addresses, they follow the dialect. */
export const defaultNames = { anthropic: "Anthropic", openai: "OpenAI", gemini: "Gemini" } as const;

export function valuesOf(provider: Provider | null): ProviderValues {
  return {
    name: provider?.name ?? "",
    dialect: provider?.dialect ?? "anthropic",
    serves: provider?.serves ?? ["chat", "responses", "embeddings"],
    baseUrl: provider?.baseUrl ?? defaultBaseUrls.anthropic,
    secret: "",
    groups: (provider?.groups ?? ["default"]).join(", "),
    priority: String(provider?.priority ?? 0),
    weight: String(provider?.weight ?? 1),
    models: (provider?.models ?? []).join("\n"),
    modelRedirects: pairLines((provider?.modelRedirects ?? []).map(({ from, to }) => [from, to])),
    costMultiplier: provider?.costMultiplier ?? "1",
    enabled: provider?.enabled ?? true,
    ...optionValuesOf(provider),
    ...limitValuesOf(provider),
  };
}

function inputOf(values: ProviderValues, provider: Pick<Provider, "proxy"> | null) {
  return {
    name: values.name,
    serves: values.serves,
    baseUrl: values.baseUrl.trim(),
    groups: items(values.groups),
    priority: values.priority.trim() === "" ? 0 : Number(values.priority),
    weight: values.weight.trim() === "" ? 1 : Number(values.weight),
    models: items(values.models),
    modelRedirects: readPairs(values.modelRedirects).map(([from, to]) => ({ from, to })),
    costMultiplier: values.costMultiplier.trim() || "1",
    enabled: values.enabled,
    ...optionsInput(values, provider),
    ...limitsInput(values),
  };
}

export function createInputOf(values: ProviderValues) {
  return { ...inputOf(values, null), dialect: values.dialect, secret: values.secret.trim() };
}

export function updateInputOf({ id, baseUrl, proxy }: Pick<Provider, "id" | "baseUrl" | "proxy">, values: ProviderValues) {
  const secret = values.secret.trim();
  return { ...inputOf(values, { proxy }), id, expected: { baseUrl, proxy }, ...(secret ? { secret } : {}) };
}

/**
 * The connection test for the form's values; of the stored provider when address and secret are unchanged; null while it is not possible.
 */
export function testInputOf(
  provider: Provider | null,
  values: Pick<ProviderValues, "dialect" | "baseUrl" | "secret" | "proxy" | "headers">,
): TestProviderInput | null {
  const baseUrl = values.baseUrl.trim();
  const secret = values.secret.trim();
  const proxy = values.proxy.trim();
  const isSame = provider && baseUrl === provider.baseUrl && proxy === provider.proxy;
  if (provider && (!secret || (proxy !== "" && proxy === provider.proxy))) return isSame ? { id: provider.id } : null;
  const shape = CreateProviderInput.pick({ dialect: true, baseUrl: true, secret: true, proxy: true, headers: true });
  const headers = Object.fromEntries(readPairs(values.headers, ":"));
  const parsed = shape.safeParse({ dialect: values.dialect, baseUrl, secret, headers, proxy: proxy || null });
  return parsed.success ? parsed.data : null;
}

export const schemas = { create: CreateProviderInput, update: UpdateProviderInput };
