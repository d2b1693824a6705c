import { useQuery } from "@tanstack/react-query";
import { RotateCw } from "lucide-react";
import { useTranslation } from "react-i18next";
import { api, type Outputs, queryClient } from "../../api/client.ts";
import { useAnswer } from "../../api/use-answer.ts";
import { clockParts } from "../../format.ts";
import { covered, useTopics } from "../../live/hub.ts";
import { useStore } from "../../live/store.ts";
import { systemBoard } from "../../live/system-board.ts";
import { LiveIndicator } from "../../shell/live-indicator.tsx";
import { Button } from "../../ui/button.tsx";
import { Page } from "../../ui/page.tsx";
import { FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { BreakersCard } from "./breakers-card.tsx";
import { ConfigCard } from "./config-card.tsx";
import { InstancesTable } from "./instances-table.tsx";
import { QuarantineSection } from "./quarantine-section.tsx";
import { BusCard, PostgresCard, RedisCard } from "./store-cards.tsx";

const options = api.system.get.queryOptions();
const topics = ["system"] as const;

function readAgain(): void {
  void queryClient.invalidateQueries({ queryKey: api.system.pathKey() });
}

function loadBoard(answer: Outputs["system"]["get"]): void {
  systemBoard.load(answer);
  void covered(answer.busId, topics).then((whole) => whole || readAgain());
}

/** What this installation runs on. Processes tell of themselves; the stores are asked when the page opens, and on request. */
export function SystemPage() {
  const { t } = useTranslation();
  useTopics(topics);
  const { data, dataUpdatedAt, error, refetch, isFetching } = useQuery({ ...options, refetchOnMount: "always" });
  useAnswer(data, loadBoard);
  const { instances, breakers } = useStore(systemBoard);
  const processes = [...instances.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  return (
    <Page
      title={t("system.title")}
      state={<LiveIndicator />}
      lead={t("system.lead")}
      actions={
        <>
          {data && <span className="text-xs tabular-nums text-ink-3">{t("system.asOf", { time: clockParts(data.serverNowMs).time })}</span>}
          <Button busy={isFetching && data !== undefined} onClick={readAgain}>
            {!(isFetching && data) && <RotateCw aria-hidden="true" />}
            {t("system.refresh")}
          </Button>
        </>
      }
    >
      {error && <FailureBox error={error} asOfMs={dataUpdatedAt} onRetry={() => void refetch()} />}
      {!data && !error && <SkeletonRows className="rounded-xl border border-line bg-surface" />}
      {data && (
        <>
          <InstancesTable instances={processes} />
          <div className="grid gap-4 md:grid-cols-2 xl:grid-cols-3">
            <PostgresCard facts={data.postgres} />
            <RedisCard facts={data.redis} nowMs={data.serverNowMs} />
            <BusCard busId={data.busId} instances={processes} />
            <ConfigCard instances={processes} />
            <BreakersCard breakers={[...breakers.values()]} />
          </div>
          <QuarantineSection waiting={data.quarantined} />
        </>
      )}
    </Page>
  );
}
