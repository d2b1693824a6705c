import { defaultSettings, type SettingName, settingSchemas } from "@sluice/core/inputs/settings";
import { hasWords } from "../../lists/has-words.ts";
import type { Translate } from "../../text/translator.ts";

export const settingNames = Object.keys(settingSchemas) as SettingName[];
export const defaults = defaultSettings();

type Key = SettingName extends infer N ? (N extends `${infer A}.${infer B}` ? `${A}_${B}` : never) : never;
const keyOf = (name: SettingName): Key => name.replace(".", "_") as Key;

export function settingTitle(t: Translate, name: SettingName): string {
  return t(`settings.name.${keyOf(name)}`);
}

export function settingHint(t: Translate, name: SettingName): string {
  return t(`settings.hint.${keyOf(name)}`);
}

export function settingGroup(t: Translate, name: SettingName): string {
  return t(`settings.group.${name.split(".")[0]}` as "settings.group.time");
}

/** Whether every word of a search occurs in the setting's name, group, title or hint. */
export function settingMatches(t: Translate, name: SettingName, query: string): boolean {
  return hasWords(query, [name, settingGroup(t, name), settingTitle(t, name), settingHint(t, name)]);
}

export function settingUnit(t: Translate, name: SettingName): string {
  if (name.endsWith("Percent")) return "%";
  if (name.endsWith("Days")) return t("settings.unit.days");
  return name.endsWith("Seconds") ? t("settings.unit.seconds") : name.endsWith("Ms") ? t("settings.unit.ms") : "";
}

/** A value in words: the label of a choice, a number with its unit. */
export function settingValueText(t: Translate, name: SettingName, value: unknown): string {
  if (value === "") return t("settings.empty");
  if (Array.isArray(value)) {
    const names = value.map(({ name: rule }: { name: string }) => rule).join(", ");
    return value.length === 0 ? t("settings.empty") : t("settings.rules.summary", { count: value.length, names });
  }
  if (choicesOf(name)) return t(`settings.option.${String(value)}` as "settings.option.fsync", { otherwise: String(value) });
  return [String(value), settingUnit(t, name)].filter(Boolean).join(" ");
}

/** Whether it is a list, which has its own section instead of a field. */
export function isList(name: SettingName): boolean {
  return Array.isArray(defaults[name]);
}

/** The options of a setting that is a choice; otherwise null. */
export function choicesOf(name: SettingName): readonly string[] | null {
  const inner = settingSchemas[name].unwrap();
  return "options" in inner ? inner.options : null;
}

/** Whether its value is a number. */
export function isNumber(name: SettingName): boolean {
  return typeof defaults[name] === "number";
}

/** Converts a field's text to the value to validate. */
export function settingValue(name: SettingName, text: string): unknown {
  if (!isNumber(name)) return text.trim();
  return text.trim() === "" ? Number.NaN : Number(text);
}

/** Describes the valid values if this one is invalid; null if it is valid. */
export function settingProblem(t: Translate, name: SettingName, text: string): string | null {
  if (settingSchemas[name].safeParse(settingValue(name, text)).success) return null;
  const inner = settingSchemas[name].unwrap();
  if (name === "limits.dayStartsAt") return t("settings.invalid.time");
  if (name === "limits.queuePerSlot") return t("settings.invalid.number", { min: 0, max: 100 });
  if ("minValue" in inner) return t("settings.invalid.whole", { min: inner.minValue ?? "−∞", max: inner.maxValue ?? "∞" });
  if (name === "time.zone") return t("settings.invalid.zone");
  return name === "pricing.sourceUrl" ? t("settings.invalid.url") : t("form.invalid");
}
