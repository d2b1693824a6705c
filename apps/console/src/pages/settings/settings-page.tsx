import { defaultSettings, type SettingName, type Settings, settingSchemas, UpdateSettingsInput } from "@sluice/core/inputs/settings";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, client, queryClient } from "../../api/client.ts";
import { type Failure, readFailure } from "../../api/failure.ts";
import { LiveIndicator } from "../../shell/live-indicator.tsx";
import { Button } from "../../ui/button.tsx";
import { Page } from "../../ui/page.tsx";
import { FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { SettingField } from "./setting-field.tsx";

const options = api.settings.get.queryOptions();
const groups = ["sessions", "routing", "upstream", "breaker", "pricing", "ledger", "time"] as const;
const names = Object.keys(settingSchemas) as SettingName[];
const defaults = defaultSettings();

/** Every setting with its default; changes are gathered and saved together. */
export function SettingsPage() {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery(options);
  return (
    <Page title={t("settings.title")} state={<LiveIndicator />} lead={t("settings.lead")} className="max-w-4xl">
      {error && <FailureBox error={error} onRetry={() => void refetch()} />}
      {!data && !error && <SkeletonRows rows={10} className="rounded-xl border border-line bg-surface" />}
      {data && <SettingsForm settings={data} />}
    </Page>
  );
}

function SettingsForm({ settings }: { settings: Settings }) {
  const { t } = useTranslation();
  const [edits, setEdits] = useState<Partial<Record<SettingName, string>>>({});
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const changed = names.filter((name) => edits[name] !== undefined && edits[name] !== String(settings[name]));
  const invalid = useMemo(
    () => new Set(changed.filter((name) => !settingSchemas[name].safeParse(settingValue(name, edits[name] ?? "")).success)),
    [changed, edits],
  );

  async function save(): Promise<void> {
    setBusy(true);
    setFailure(null);
    try {
      const input = UpdateSettingsInput.parse(Object.fromEntries(changed.map((name) => [name, settingValue(name, edits[name] ?? "")])));
      await client.settings.update.mutate(input);
      await queryClient.invalidateQueries({ queryKey: options.queryKey });
      setEdits({});
      toastDone(t("settings.saved"));
    } catch (thrown) {
      setFailure(readFailure(thrown));
    }
    setBusy(false);
  }

  return (
    <form
      noValidate
      className="flex flex-col gap-6"
      onSubmit={(event) => {
        event.preventDefault();
        if (changed.length > 0 && invalid.size === 0) void save();
      }}
    >
      {groups.map((group) => (
        <section key={group} aria-labelledby={`settings-${group}`} className="rounded-xl border border-line bg-surface">
          <h2 id={`settings-${group}`} className="border-b border-line px-5 py-2.5 text-sm font-semibold">
            {t(`settings.group.${group}`)}
          </h2>
          <div className="divide-y divide-line">
            {names
              .filter((name) => name.startsWith(`${group}.`))
              .map((name) => (
                <SettingField
                  key={name}
                  name={name}
                  value={edits[name] ?? String(settings[name])}
                  standard={String(defaults[name])}
                  invalid={invalid.has(name)}
                  onChange={(value) => setEdits((old) => ({ ...old, [name]: value }))}
                />
              ))}
          </div>
        </section>
      ))}
      {failure && <FailureBox error={failure} />}
      {changed.length > 0 && (
        <div className="sticky bottom-4 flex items-center justify-between gap-4 rounded-xl border border-line-strong bg-raised px-4 py-2.5 shadow-pop">
          <span className="text-sm font-medium">{t("settings.unsaved", { count: changed.length })}</span>
          <span className="flex gap-2">
            <Button onClick={() => setEdits({})}>{t("settings.discard")}</Button>
            <Button type="submit" variant="primary" busy={busy} disabled={invalid.size > 0}>
              {t("common.save")}
            </Button>
          </span>
        </div>
      )}
    </form>
  );
}

function settingValue(name: SettingName, text: string): unknown {
  if (typeof defaults[name] !== "number") return text.trim();
  return text.trim() === "" ? Number.NaN : Number(text);
}
