import { useQuery } from "@tanstack/react-query";
import { ArrowDownUp, Plus, Route, SearchX, Server } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { api, client, type Outputs, queryClient } from "../../api/client.ts";
import { useAnswer } from "../../api/use-answer.ts";
import { covered, listen, useTopics } from "../../live/hub.ts";
import { createProviderHealth, noHealth } from "../../live/provider-health.ts";
import { createProviderSeries } from "../../live/provider-series.ts";
import { serverNow } from "../../live/server-clock.ts";
import { useStore } from "../../live/store.ts";
import type { ProviderLine } from "../../providers/provider.ts";
import { LiveIndicator } from "../../shell/live-indicator.tsx";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Page } from "../../ui/page.tsx";
import { Empty, FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { hasImpact } from "./impact-text.tsx";
import type { ProviderAct } from "./provider-act.ts";
import { ProviderCard } from "./provider-card.tsx";
import { type OpenDialog, ProviderDialogs } from "./provider-dialogs.tsx";
import { byPriority } from "./provider-order.ts";
import { SelectionBar } from "./selection-bar.tsx";
import { useProviderChanges } from "./use-provider-changes.ts";

const options = api.providers.bootstrap.queryOptions();
/** The chart lines are computed from requests. */
const topics = ["providers", "logs"] as const;
const board = createProviderHealth();
const history = createProviderSeries(serverNow);

function readAgain(): void {
  void queryClient.invalidateQueries({ queryKey: options.queryKey });
}

function loadBoards(answer: Outputs["providers"]["bootstrap"]): void {
  board.load(answer.health);
  if (answer.series) history.load(answer.series);
  void covered(answer.busId, topics).then((whole) => whole || readAgain());
}

// Figures are updated by events for the life of the document, starting from the bootstrap call.
listen({
  of: topics,
  events(events) {
    board.push(events);
    history.push(events);
  },
  reset: readAgain,
});

/** The upstream accounts: one call, then every change is pushed. */
export function ProvidersPage() {
  const { t } = useTexts();
  useTopics(topics);
  const { data, dataUpdatedAt, error, refetch } = useQuery(options);
  const health = useStore(board);
  const series = useStore(history).byProvider;
  const changes = useProviderChanges();
  const [open, setOpen] = useState<OpenDialog | null>(null);
  /** Questions that were prepared in the background: each waits until nothing else is open, because an open form may be filled in. */
  const [asked, setAsked] = useState<readonly OpenDialog[]>([]);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [search, setSearch] = useState("");
  const text = useDeferredValue(search.trim().toLowerCase());

  useAnswer(data, loadBoards);

  const providers = byPriority(data?.providers ?? []);
  const shown = providers.filter((provider) => matches(provider, text));
  const chosen = providers.filter(({ id }) => selected.has(id));
  // Closes only this dialog: an action may finish after its dialog is gone and another is open.
  const shownDialog = open ?? asked[0] ?? null;
  function close(): void {
    setOpen((now) => (now === shownDialog ? null : now));
    setAsked((now) => now.filter((one) => one !== shownDialog));
  }

  /** Asks for confirmation if somebody would be affected. */
  async function disable(provider: ProviderLine): Promise<void> {
    const impact = await client.providers.impact.query({ ids: [provider.id] }).catch(() => null);
    const isThis = (one: OpenDialog): boolean => one.kind === "disable" && one.provider.id === provider.id;
    if (impact && hasImpact(impact)) setAsked((now) => (now.some(isThis) ? now : [...now, { kind: "disable", provider }]));
    else changes.setEnabled([provider], false);
  }

  /** Awaited: a callback of `mutate` is skipped when another provider is cloned before the answer. */
  async function clone(provider: ProviderLine): Promise<void> {
    const made = await changes.clone.mutateAsync({ id: provider.id }).catch(() => null);
    if (made) setAsked((now) => [...now, { kind: "edit", id: made.id, name: made.name }]);
  }

  function act(wanted: ProviderAct): void {
    const { provider } = wanted;
    if (wanted.kind === "enable") {
      if (wanted.enabled) changes.setEnabled([provider], true);
      else void disable(provider);
    } else if (wanted.kind === "lift") changes.lift.mutate(provider);
    else if (wanted.kind === "reset") changes.reset.mutate(provider);
    else if (wanted.kind === "edit") setOpen({ kind: "edit", id: provider.id, name: provider.name });
    else if (wanted.kind === "clone") void clone(provider);
    else setOpen({ kind: wanted.kind, provider });
  }

  return (
    <Page
      title={t("providers.title")}
      state={<LiveIndicator />}
      lead={t("providers.lead")}
      actions={
        <>
          <Button onClick={() => setOpen({ kind: "simulate" })}>
            <Route aria-hidden="true" />
            {t("providers.simulate")}
          </Button>
          {providers.length > 1 && (
            <Button onClick={() => setOpen({ kind: "order" })}>
              <ArrowDownUp aria-hidden="true" />
              {t("providers.reorder")}
            </Button>
          )}
          <Button variant="primary" onClick={() => setOpen({ kind: "new" })}>
            <Plus aria-hidden="true" />
            {t("providers.new")}
          </Button>
        </>
      }
    >
      {error && <FailureBox error={error} asOfMs={dataUpdatedAt} onRetry={() => void refetch()} />}
      {!data && !error && <SkeletonRows className="rounded-xl border border-line bg-surface" />}
      {data && providers.length === 0 && (
        <div className="rounded-xl border border-line bg-surface">
          <Empty icon={<Server />} title={t("providers.emptyTitle")} text={t("providers.emptyText")}>
            <Button variant="primary" onClick={() => setOpen({ kind: "new" })}>
              {t("providers.new")}
            </Button>
          </Empty>
        </div>
      )}
      {providers.length > 0 && (
        <SelectionBar
          shown={shown}
          chosen={chosen}
          search={search}
          onSearch={setSearch}
          onSelect={(ids) => setSelected(new Set(ids))}
          onEdit={() => setOpen({ kind: "batch", providers: chosen })}
          onEnable={(enabled) => changes.setEnabled(chosen, enabled)}
        />
      )}
      {providers.length > 0 && shown.length === 0 && (
        <Empty icon={<SearchX />} title={t("providers.noMatch", { text: search.trim() })} text="">
          <Button onClick={() => setSearch("")}>{t("providers.showAll")}</Button>
        </Empty>
      )}
      {shown.length > 0 && (
        <section aria-label={t("providers.title")} className="grid items-start gap-4 xl:grid-cols-2">
          {shown.map((provider) => (
            <ProviderCard
              key={provider.id}
              provider={provider}
              health={health.get(provider.id) ?? noHealth(provider.id)}
              series={series.get(provider.id)}
              threshold={data?.settings["breaker.failures"] ?? 0}
              selected={selected.has(provider.id)}
              onSelect={(on) => {
                const next = new Set(selected);
                if (on) next.add(provider.id);
                else next.delete(provider.id);
                setSelected(next);
              }}
              onAct={act}
            />
          ))}
        </section>
      )}
      <ProviderDialogs
        open={shownDialog}
        providers={providers}
        busy={changes.batch.isPending || changes.remove.isPending}
        onClose={close}
        onApply={(differences, done) => changes.batch.mutate({ differences, ...(done && { done }) }, { onSuccess: close })}
        onDelete={(provider) => changes.remove.mutate(provider, { onSuccess: close })}
        onDisable={(provider) => {
          changes.setEnabled([provider], false);
          close();
        }}
      />
    </Page>
  );
}

function matches({ name, host, groups }: ProviderLine, text: string): boolean {
  return text === "" || [name, host, ...groups].some((one) => one.toLowerCase().includes(text));
}
