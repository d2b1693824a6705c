import { useTranslation } from "react-i18next";
import type { Outputs } from "../../api/client.ts";

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
  override: "providers.override.field",
} as const;

/** What an entry of the history changed, a line each; of a new provider what is not left at its default. */
export function useChanges(version: Version): string[] {
  const { t } = useTranslation();
  const { before, after } = version;
  const shown = (value: unknown): string => {
    const empty = value === null || value === undefined || value === "" || JSON.stringify(value) === "{}" || JSON.stringify(value) === "[]";
    if (empty) return t("providers.versions.unset");
    if (typeof value === "boolean") return t(value ? "common.enabled" : "common.disabled");
    if (Array.isArray(value)) return value.join(", ");
    if (typeof value !== "object") return String(value);
    if ("kind" in value) return [t(`providers.override.${value.kind as "open"}`), "note" in value && value.note].filter(Boolean).join(", ");
    return Object.entries(value)
      .map(([from, to]) => `${from} = ${String(to)}`)
      .join(", ");
  };
  if (!after) return [];
  // Of a new one what is empty says nothing.
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
