import type { ProviderChange } from "@sluice/core/inputs/provider";
import type { ProviderLine } from "../../providers/provider.ts";
import { items } from "../../ui/use-input-form.ts";

/** What the batch form holds: texts as typed; '' leaves a field as it is. */
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

/** One provider's part, with what it was: both sides hold the same fields, and only those that differ. */
export interface Difference {
  provider: ProviderLine;
  before: ProviderChange;
  after: ProviderChange;
}

const fields = ["enabled", "priority", "weight", "groups", "costMultiplier"] as const satisfies readonly Field[];

/** What a batch would change. Providers that would stay as they are, are left out. */
export function differencesOf(providers: readonly ProviderLine[], values: BatchValues): Difference[] {
  return providers.flatMap((provider) => differenceOf(provider, wantedOf(provider, values)) ?? []);
}

/** The change of one provider to these values; null when it has them already. */
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

/** The field of a provider as it is read. */
export function shownField(value: ProviderChange[Field], words: { on: string; off: string }): string {
  if (typeof value === "boolean") return value ? words.on : words.off;
  return Array.isArray(value) ? value.join(", ") : String(value ?? "");
}
