import type { ProviderChange } from "@sluice/core/inputs/provider";
import type { ProviderLine } from "../../providers/provider.ts";
import { items } from "../../ui/use-input-form.ts";

/** The batch form's values, as typed; empty leaves a field unchanged. */
export interface BatchValues {
  enabled: "" | "on" | "off";
  priority: string;
  weight: string;
  costMultiplier: string;
  addGroups: string;
  removeGroups: string;
}

export const noBatch: BatchValues = { enabled: "", priority: "", weight: "", costMultiplier: "", addGroups: "", removeGroups: "" };

type Field = Exclude<keyof ProviderChange, "id">;

/** One provider's changes with the previous values: both sides have the same fields, and only those that differ. */
export interface Difference {
  provider: ProviderLine;
  before: ProviderChange;
  after: ProviderChange;
}

const fields = ["enabled", "priority", "weight", "groups", "costMultiplier"] as const satisfies readonly Field[];

/** What a batch would change, without providers that stay the same. */
export function differencesOf(providers: readonly ProviderLine[], values: BatchValues): Difference[] {
  return providers.flatMap((provider) => differenceOf(provider, wantedOf(provider, values)) ?? []);
}

/** The change that gives one provider these values; null when it already has them. */
export function differenceOf(provider: ProviderLine, wanted: Omit<ProviderChange, "id">): Difference | null {
  const before: ProviderChange = { id: provider.id };
  const after: ProviderChange = { id: provider.id };
  const known = { ...provider, costMultiplier: provider.costMultiplier ?? "1" };
  for (const field of fields) {
    if (wanted[field] === undefined || String(wanted[field]) === String(known[field])) continue;
    Object.assign(before, { [field]: known[field] });
    Object.assign(after, { [field]: wanted[field] });
  }
  return Object.keys(after).length > 1 ? { provider, before, after } : null;
}

function wantedOf(provider: ProviderLine, values: BatchValues): Omit<ProviderChange, "id"> {
  const [added, removed] = [items(values.addGroups), items(values.removeGroups)];
  const groups = [...new Set([...provider.groups, ...added])].filter((group) => !removed.includes(group));
  const number = (text: string): number | undefined => (text.trim() === "" ? undefined : Number(text));
  return {
    enabled: values.enabled === "" ? undefined : values.enabled === "on",
    priority: number(values.priority),
    weight: number(values.weight),
    costMultiplier: values.costMultiplier.trim() || undefined,
    groups: added.length + removed.length > 0 ? groups : undefined,
  };
}

/** The value of a provider's field, formatted. */
export function shownField(value: ProviderChange[Field], words: { on: string; off: string }): string {
  if (typeof value === "boolean") return value ? words.on : words.off;
  return Array.isArray(value) ? value.join(", ") : String(value ?? "");
}
