import type { InstanceState } from "@sluice/core/events";
import { CircleAlert, CircleCheck, CircleDashed } from "lucide-react";
import { formatDateTime } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";
import { Badge } from "../../ui/badge.tsx";
import { FactCard } from "./fact-card.tsx";

const looks = {
  applied: { tone: "ok", icon: CircleCheck, text: "configApplied" },
  pending: { tone: "idle", icon: CircleDashed, text: "configPending" },
  failed: { tone: "warn", icon: CircleAlert, text: "configFailed" },
} as const;

/** The state of the configuration file, by the processes that watch it. */
export function ConfigCard({ instances }: { instances: readonly InstanceState[] }) {
  const { t, language } = useTexts();
  const files = instances.flatMap(({ id, config }) => (config ? [{ id, config }] : []));
  return (
    <FactCard title={t("system.config")}>
      {files.length === 0 && <p className="text-ink-2">{t("system.configNone")}</p>}
      {files.map(({ id, config }) => {
        const { tone, icon: Icon, text } = looks[config.status];
        return (
          <div key={id} className="flex flex-col gap-1.5 border-line not-first:border-t not-first:pt-2.5">
            <div className="flex flex-wrap items-center justify-between gap-2">
              <span className="min-w-0 break-all font-mono text-xs">{config.path}</span>
              <Badge tone={tone}>
                <Icon aria-hidden="true" />
                {t(`system.${text}`)}
              </Badge>
            </div>
            {config.problems.length > 0 && (
              <ul className="flex flex-col gap-1 rounded-lg bg-warn-soft px-3 py-2 font-mono text-xs">
                {config.problems.map((problem) => (
                  <li key={problem} className="break-words">
                    {problem}
                  </li>
                ))}
              </ul>
            )}
            <p className="text-xs text-ink-3">
              {config.appliedAtMs !== null && t("system.configAppliedAt", { time: formatDateTime(config.appliedAtMs, language) })}
              {config.status === "failed" && ` · ${t("system.configTriedAt", { time: formatDateTime(config.atMs, language) })}`}
            </p>
            {config.status === "applied" && (
              <p className="text-xs text-ink-3">
                {t("system.configDid", { created: config.created, updated: config.updated, unchanged: config.unchanged })}
              </p>
            )}
            {config.notes.map((note) => (
              <p key={note} className="text-xs text-ink-2">
                {note}
              </p>
            ))}
          </div>
        );
      })}
    </FactCard>
  );
}
