import type { SettingName } from "@sluice/core/inputs/settings";
import { FileLock2, RotateCcw } from "lucide-react";
import { useId } from "react";
import type { Outputs } from "../../api/client.ts";
import { formatDateTime } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";
import { Badge } from "../../ui/badge.tsx";
import { cn } from "../../ui/class-names.ts";
import { Input, NativeSelect } from "../../ui/field.tsx";
import { IconButton } from "../../ui/icon-button.tsx";
import { choicesOf, defaults, isNumber, settingHint, settingProblem, settingTitle, settingUnit, settingValueText } from "./setting-text.ts";

interface SettingFieldProps {
  name: SettingName;
  value: string;
  /** Absent = default, or not loaded yet. */
  source: Outputs["settings"]["sources"][SettingName];
  edited: boolean;
  onChange(value: string): void;
}

/** One setting: name, meaning and source on the left, value on the right. */
export function SettingField({ name, value, source, edited, onChange }: SettingFieldProps) {
  const { t, language } = useTexts();
  const id = useId();
  const choices = choicesOf(name);
  const standard = String(defaults[name]);
  const problem = settingProblem(t, name, value);
  const note = problem ?? (edited && source?.source === "config" ? t("settings.configHint") : null);
  const described = `${id}-hint${note ? ` ${id}-note` : ""}`;
  return (
    <div className={cn("grid items-start gap-x-6 gap-y-2 px-5 py-3 sm:grid-cols-[1fr_17rem]", edited && "bg-selected")} data-setting={name}>
      <div className="min-w-0">
        <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <label htmlFor={id} className="text-sm font-medium">
            {settingTitle(t, name)}
          </label>
          {source && (
            <span
              title={`${source.source === "config" ? `${t("settings.configHint")} ` : ""}${t("settings.changedAt", { time: formatDateTime(source.changedAtMs, language) })}`}
            >
              <Badge tone={source.source === "config" ? "warn" : "accent"}>
                {source.source === "config" && <FileLock2 aria-hidden="true" />}
                {t(`settings.source.${source.source}`)}
              </Badge>
            </span>
          )}
        </div>
        <p id={`${id}-hint`} className="mt-0.5 text-xs text-ink-3">
          {settingHint(t, name)}
        </p>
      </div>
      <div className="flex flex-col gap-1">
        <div className="flex items-center gap-2">
          {choices ? (
            <NativeSelect id={id} aria-describedby={described} value={value} onChange={(event) => onChange(event.target.value)}>
              {choices.map((choice) => (
                <option key={choice} value={choice}>
                  {settingValueText(t, name, choice)}
                </option>
              ))}
            </NativeSelect>
          ) : (
            <Input
              id={id}
              aria-describedby={described}
              aria-invalid={problem ? true : undefined}
              inputMode={isNumber(name) ? "numeric" : "text"}
              spellCheck={false}
              className={cn(isNumber(name) && "text-right tabular-nums")}
              value={value}
              onChange={(event) => onChange(event.target.value)}
            />
          )}
          {isNumber(name) && <span className="w-12 shrink-0 text-xs text-ink-3">{settingUnit(t, name)}</span>}
          <IconButton
            icon={RotateCcw}
            className={cn(value === standard && "invisible")}
            label={t("settings.reset", { name: settingTitle(t, name) })}
            title={t("settings.default", { value: settingValueText(t, name, defaults[name]) })}
            onClick={() => onChange(standard)}
          />
        </div>
        {note && (
          <p id={`${id}-note`} className={cn("text-xs", problem ? "text-bad" : "text-warn")}>
            {note}
          </p>
        )}
        {!note && value !== standard && (
          <p className="text-xs text-ink-3">{t("settings.default", { value: settingValueText(t, name, defaults[name]) })}</p>
        )}
      </div>
    </div>
  );
}
