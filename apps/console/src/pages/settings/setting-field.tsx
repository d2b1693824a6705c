import { type SettingName, settingSchemas } from "@sluice/core/inputs/settings";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import { cn } from "../../ui/class-names.ts";
import { Input, NativeSelect } from "../../ui/field.tsx";

interface SettingFieldProps {
  name: SettingName;
  value: string;
  /** The default, as text. */
  standard: string;
  invalid: boolean;
  onChange(value: string): void;
}

type TextName = SettingName extends infer N ? (N extends `${infer A}.${infer B}` ? `${A}_${B}` : never) : never;

/** One setting: its name and meaning at the left, its value at the right, its default when it differs. */
export function SettingField({ name, value, standard, invalid, onChange }: SettingFieldProps) {
  const { t } = useTranslation();
  const id = useId();
  const key = name.replace(".", "_") as TextName;
  const choices = choicesOf(name);
  const unit = name.endsWith("Seconds") ? t("settings.unit.seconds") : name.endsWith("Ms") ? t("settings.unit.ms") : "";
  const optionText = (option: string): string => (choices ? t(`settings.option.${option}` as "settings.option.fsync") : option);
  return (
    <div className="grid items-center gap-x-6 gap-y-2 px-5 py-3 sm:grid-cols-[1fr_15rem]">
      <div className="min-w-0">
        <label htmlFor={id} className="text-sm font-medium">
          {t(`settings.name.${key}`)}
        </label>
        <p id={`${id}-hint`} className="text-xs text-ink-3">
          {t(`settings.hint.${key}`)}
        </p>
      </div>
      <div className="flex flex-col gap-1">
        <div className="flex items-center gap-2">
          {choices ? (
            <NativeSelect id={id} aria-describedby={`${id}-hint`} value={value} onChange={(event) => onChange(event.target.value)}>
              {choices.map((choice) => (
                <option key={choice} value={choice}>
                  {optionText(choice)}
                </option>
              ))}
            </NativeSelect>
          ) : (
            <Input
              id={id}
              aria-describedby={`${id}-hint`}
              aria-invalid={invalid || undefined}
              inputMode={name === "time.zone" ? "text" : "numeric"}
              className={cn(name !== "time.zone" && "text-right")}
              value={value}
              onChange={(event) => onChange(event.target.value)}
            />
          )}
          <span className="w-14 shrink-0 text-xs text-ink-3">{unit}</span>
        </div>
        {invalid && <p className="text-xs text-bad">{t("form.invalid")}</p>}
        {!invalid && value !== standard && <p className="text-xs text-ink-3">{t("settings.default", { value: optionText(standard) })}</p>}
      </div>
    </div>
  );
}

/** The values of a setting that is a choice, else null. */
function choicesOf(name: SettingName): readonly string[] | null {
  const inner = settingSchemas[name].unwrap();
  return "options" in inner ? inner.options : null;
}
