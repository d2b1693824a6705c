import type { RoutingRule } from "@sluice/core/inputs/routing-rules";
import type { NameLookup } from "../../api/names.ts";
import { readPairs } from "../../providers/provider-option-form.ts";
import type { Translate } from "../../text/translator.ts";
import { items, numberOrNull } from "../../ui/use-input-form.ts";

/** The form's values; lists have one item per line, or are separated by commas where items contain none. */
export interface RoutingRuleValues {
  name: string;
  models: string;
  /** Ids separated by commas, one option of the select. */
  keys: string;
  users: string;
  dialects: string;
  headers: string;
  paths: string;
  bodyBytesMin: string;
  bodyBytesMax: string;
  schedule: string;
  zone: string;
  percent: string;
  provider: string;
  group: string;
  model: string;
}

const windowText = ({ from, to }: RoutingRule["schedule"]["windows"][number]): string => `${from}-${to}`;
const lines = (text: string): string[] => text.split("\n").flatMap((line) => line.trim() || []);

export function toValues(rule: RoutingRule | null): RoutingRuleValues {
  return {
    name: rule?.name ?? "",
    models: rule?.models.join("\n") ?? "",
    keys: rule?.keys.join(",") ?? "",
    users: rule?.users.join(", ") ?? "",
    dialects: rule?.dialects.join(",") ?? "",
    headers: rule?.headers.map(({ name, value }) => `${name}: ${value}`).join("\n") ?? "",
    paths: rule?.paths.join("\n") ?? "",
    bodyBytesMin: String(rule?.bodyBytesMin ?? ""),
    bodyBytesMax: String(rule?.bodyBytesMax ?? ""),
    schedule: rule?.schedule.windows.map(windowText).join("\n") ?? "",
    zone: rule?.schedule.zone ?? "UTC",
    percent: String(rule?.percent ?? 100),
    provider: rule?.provider ?? "",
    group: rule?.group ?? "",
    model: rule?.model ?? "",
  };
}

export function toInput({ schedule, zone, ...values }: RoutingRuleValues): object {
  return {
    name: values.name,
    models: lines(values.models),
    keys: items(values.keys),
    users: items(values.users),
    dialects: items(values.dialects),
    headers: readPairs(values.headers, ":").map(([name, value]) => ({ name, value })),
    paths: lines(values.paths),
    bodyBytesMin: numberOrNull(values.bodyBytesMin),
    bodyBytesMax: numberOrNull(values.bodyBytesMax),
    schedule: {
      zone: zone.trim() || "UTC",
      windows: lines(schedule).map((line) => {
        const [from = "", to = ""] = line.split(/\s*[-–—~]\s*/);
        return { from, to };
      }),
    },
    percent: values.percent.trim() === "" ? 100 : Number(values.percent),
    provider: values.provider || null,
    group: values.group.trim() || null,
    model: values.model.trim() || null,
  };
}

/** The targets that a rule sets. */
export function ruleInput({ provider, group, model }: RoutingRule): { provider?: string; group?: string; model?: string } {
  return { ...(provider !== null && { provider }), ...(group !== null && { group }), ...(model !== null && { model }) };
}

/** The conditions of a rule in one line, without empty ones. */
export function routingRuleConditions(t: Translate, rule: RoutingRule, names: Pick<NameLookup, "key">): string {
  const { models, keys, users, dialects, headers, paths, bodyBytesMin, bodyBytesMax, schedule, percent } = rule;
  const parts = [
    models.length > 0 && models.join(", "),
    keys.length > 0 && t("settings.routes.ifKey", { keys: keys.map(names.key).join(", ") }),
    users.length > 0 && t("settings.routes.ifUser", { users: users.join(", ") }),
    dialects.length > 0 && t("settings.rules.ifDialect", { dialects: dialects.join(", ") }),
    ...headers.map(({ name, value }) => `${name}: ${value}`),
    paths.length > 0 && t("settings.routes.ifPath", { paths: paths.join(", ") }),
    bodyBytesMin !== null && t("settings.routes.ifMin", { bytes: bodyBytesMin }),
    bodyBytesMax !== null && t("settings.routes.ifMax", { bytes: bodyBytesMax }),
    schedule.windows.length > 0 &&
      t("settings.routes.ifTime", { windows: schedule.windows.map(windowText).join(", "), zone: schedule.zone }),
    percent < 100 && t("settings.routes.ifPercent", { percent }),
  ].filter(Boolean);
  return parts.length === 0 ? t("settings.routes.ifAny") : parts.join(" · ");
}
