import type { Outputs } from "../../api/client.ts";
import { useTexts } from "../../text/i18n.ts";

type Version = Outputs["providers"]["history"]["items"][number];

const labels = {
  name: "providers.name",
  baseUrl: "providers.baseUrl",
  enabled: "providers.enabled",
  priority: "providers.priority",
  weight: "providers.weight",
  costMultiplier: "providers.multiplier",
  groups: "providers.groups",
  serves: "providers.serves",
  models: "providers.models",
  modelRedirects: "providers.redirects",
  groupPriorities: "providers.options.groupPriorities",
  schedule: "providers.options.windows",
  timeouts: "providers.options.timeouts",
  breaker: "providers.options.breaker",
  credentials: "providers.credentials.title",
  headers: "providers.options.headers",
  proxy: "providers.options.proxy",
  override: "providers.override.field",
} as const;

/** The changes of a history entry, one per line; for a new provider, the fields that differ from their defaults. */
export function useChanges(version: Version): string[] {
  const { t } = useTexts();
  const { before, after } = version;
  const shown = (value: unknown): string => {
    if (value === null || isEmpty(value)) return t("providers.versions.unset");
    if (typeof value === "boolean") return t(value ? "common.enabled" : "common.disabled");
    if (Array.isArray(value)) return value.map(itemText).join(", ");
    if (typeof value !== "object") return String(value);
    if ("kind" in value) return [t(`providers.override.${value.kind as "open"}`), "note" in value && value.note].filter(Boolean).join(", ");
    if ("windows" in value && Array.isArray(value.windows))
      return [...value.windows.map(itemText), "zone" in value && value.zone].join(", ");
    return Object.entries(value)
      .map(([from, to]) => `${from} = ${String(to)}`)
      .join(", ");
  };
  if (!after) return [];
  // For a new provider, empty fields are not worth a line.
  const isNews = (field: keyof typeof labels): boolean => before !== null || shown(after[field]) !== t("providers.versions.unset");
  const fields = (Object.keys(labels) as (keyof typeof labels)[]).filter(
    (field) => after[field] !== undefined && JSON.stringify(before?.[field]) !== JSON.stringify(after[field]) && isNews(field),
  );
  const lines = fields.map((field) => {
    const label = t(labels[field]);
    return before
      ? t("providers.versions.change", { field: label, before: shown(before[field]), after: shown(after[field]) })
      : t("providers.versions.set", { field: label, after: shown(after[field]) });
  });
  return "secretChanged" in after ? [...lines, t("providers.versions.secretChanged")] : lines;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === "") return true;
  if (typeof value !== "object" || value === null) return false;
  const list = "windows" in value ? value.windows : value;
  return JSON.stringify(list) === "{}" || JSON.stringify(list) === "[]";
}

/** A redirect, schedule window or credential in one word; anything else unchanged. */
function itemText(item: unknown): string {
  if (typeof item === "object" && item !== null && "label" in item) return String(item.label);
  if (typeof item !== "object" || item === null || !("from" in item) || !("to" in item)) return String(item);
  const isTime = /^\d\d:\d\d$/.test(String(item.from));
  return isTime ? `${item.from}-${item.to}` : `${item.from} = ${item.to}`;
}
