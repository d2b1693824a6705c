import type { SettingName, Settings } from "@sluice/core/inputs/settings";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useBlocker } from "@tanstack/react-router";
import { History, SlidersHorizontal } from "lucide-react";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { LiveIndicator } from "../../shell/live-indicator.tsx";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Confirm } from "../../ui/dialog.tsx";
import { Input } from "../../ui/field.tsx";
import { Page } from "../../ui/page.tsx";
import { Empty, FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { useOpened } from "../../ui/use-opened.ts";
import { ErrorRulesSection } from "./error-rules-section.tsx";
import { HistoryDialog, type HistoryView } from "./history-dialog.tsx";
import { ReviewDialog } from "./review-dialog.tsx";
import { RoutingRulesSection } from "./routing-rules-section.tsx";
import { SettingField } from "./setting-field.tsx";
import { isList, settingGroup, settingMatches, settingNames, settingProblem } from "./setting-text.ts";

/** Derived from the settings, so that no group can be forgotten. */
const groups = [...new Set(settingNames.map((name) => name.split(".")[0]))];

const route = getRouteApi("/app/admin/settings");

/** Every setting with its source; changes are collected, reviewed and saved together, and each save can be rolled back. */
export function SettingsPage() {
  const { t } = useTexts();
  const { data, dataUpdatedAt, error, refetch } = useQuery(api.settings.get.queryOptions());
  const [query, setQuery] = useState(route.useSearch().q ?? "");
  const history = useOpened<HistoryView>();
  return (
    <Page
      title={t("settings.title")}
      state={<LiveIndicator />}
      lead={t("settings.lead")}
      className="max-w-4xl"
      actions={
        <>
          <Input
            type="search"
            value={query}
            onChange={(event) => setQuery(event.target.value)}
            aria-label={t("settings.search")}
            placeholder={t("settings.search")}
            className="w-48"
          />
          <Button disabled={!data} onClick={() => history.open("list")}>
            <History aria-hidden="true" />
            {t("settings.history")}
          </Button>
        </>
      }
    >
      {error && <FailureBox error={error} asOfMs={dataUpdatedAt} onRetry={() => void refetch()} />}
      {!data && !error && <SkeletonRows rows={10} className="rounded-xl border border-line bg-surface" />}
      {data && <SettingsForm settings={data} query={query} onClear={() => setQuery("")} />}
      {data && settingMatches(t, "routing.rules", query) && <RoutingRulesSection rules={data["routing.rules"]} />}
      {data && settingMatches(t, "upstream.errorRules", query) && <ErrorRulesSection rules={data["upstream.errorRules"]} />}
      {data && history.opened && <HistoryDialog view={history.opened.for} settings={data} onView={history.open} onClose={history.close} />}
    </Page>
  );
}

function SettingsForm({ settings, query, onClear }: { settings: Settings; query: string; onClear(): void }) {
  const { t } = useTexts();
  const sources = useQuery(api.settings.sources.queryOptions()).data;
  const [edits, setEdits] = useState<Partial<Record<SettingName, string>>>({});
  const [began, setBegan] = useState<Partial<Settings>>({});
  const reviewing = useOpened<null>();
  const changed = settingNames.filter((name) => edits[name] !== undefined && edits[name] !== String(settings[name]));
  const invalid = changed.filter((name) => settingProblem(t, name, edits[name] ?? "") !== null);
  const shown = settingNames.filter((name) => settingMatches(t, name, query));
  const unsaved = changed.length > 0;
  const leaving = useBlocker({ shouldBlockFn: () => unsaved, enableBeforeUnload: () => unsaved, withResolver: true });

  function edit(name: SettingName, value: string): void {
    setEdits((old) => ({ ...old, [name]: value }));
    setBegan((old) => ({ [name]: settings[name], ...old }));
  }

  function forget(): void {
    setEdits({});
    setBegan({});
  }

  /** Keeps changes that were typed while the save was in progress. */
  function saved(): void {
    setEdits((now) => without(now, (name) => now[name] === edits[name]));
    setBegan((now) => without(now, (name) => changed.includes(name)));
    reviewing.close();
  }

  return (
    <form
      noValidate
      className="flex flex-col gap-6"
      onSubmit={(event) => {
        event.preventDefault();
        if (changed.length > 0 && invalid.length === 0) reviewing.open(null);
      }}
    >
      {shown.length === 0 && (
        <div className="rounded-xl border border-line bg-surface">
          <Empty
            icon={<SlidersHorizontal />}
            title={t("settings.emptyFilterTitle")}
            text={t("settings.emptyFilterText", { query: query.trim() })}
          >
            <Button onClick={onClear}>{t("settings.clearSearch")}</Button>
          </Empty>
        </div>
      )}
      {groups
        .map((group) => ({ group, members: shown.filter((name) => name.startsWith(`${group}.`) && !isList(name)) }))
        .filter(({ members }) => members.length > 0)
        .map(({ group, members }) => (
          <section key={group} aria-labelledby={`settings-${group}`} className="overflow-hidden rounded-xl border border-line bg-surface">
            <h2 id={`settings-${group}`} className="border-b border-line px-5 py-2.5 text-sm font-semibold">
              {members[0] && settingGroup(t, members[0])}
            </h2>
            <div className="divide-y divide-line">
              {members.map((name) => (
                <SettingField
                  key={name}
                  name={name}
                  value={edits[name] ?? String(settings[name])}
                  source={sources?.[name]}
                  edited={changed.includes(name)}
                  onChange={(value) => edit(name, value)}
                />
              ))}
            </div>
          </section>
        ))}
      {changed.length > 0 && (
        <section
          aria-label={t("settings.unsaved", { count: changed.length })}
          className="sticky bottom-4 flex flex-wrap items-center justify-between gap-x-4 gap-y-2 rounded-xl border border-line-strong bg-raised px-4 py-2.5 shadow-pop"
        >
          <span className="text-sm font-medium">{t("settings.unsaved", { count: changed.length })}</span>
          <span className="flex gap-2">
            <Button onClick={forget}>{t("settings.discard")}</Button>
            <Button type="submit" variant="primary" disabled={invalid.length > 0}>
              {t("settings.review")}
            </Button>
          </span>
        </section>
      )}
      <Confirm
        open={leaving.status === "blocked"}
        onOpenChange={(open) => !open && leaving.reset?.()}
        title={t("settings.leaveTitle")}
        text={t("settings.leaveText")}
        action={t("settings.leave")}
        onConfirm={() => leaving.proceed?.()}
      />
      {reviewing.opened && <ReviewDialog {...{ settings, sources, edits, began, changed }} onClose={reviewing.close} onSaved={saved} />}
    </form>
  );
}

function without<T extends Partial<Record<SettingName, unknown>>>(all: T, goes: (name: SettingName) => boolean): T {
  return Object.fromEntries(Object.entries(all).filter(([name]) => !goes(name as SettingName))) as T;
}
