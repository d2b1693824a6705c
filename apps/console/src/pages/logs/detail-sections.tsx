import { type ErrorCode, errorCatalogue } from "@sluice/core/errors";
import type { RequestDetail, RequestRow } from "@sluice/core/requests";
import { Link } from "@tanstack/react-router";
import { CircleAlert, Filter, MessagesSquare } from "lucide-react";
import { lazy, type ReactNode, Suspense } from "react";
import type { NameLookup } from "../../api/names.ts";
import { costLines } from "../../cost-lines.ts";
import { exactCost, formatCost, formatDateTime, formatDuration, formatElapsed, formatExact } from "../../format.ts";
import { serverNow, ticks } from "../../live/server-clock.ts";
import { useStore } from "../../live/store.ts";
import { useTexts } from "../../text/i18n.ts";
import { buttonClass } from "../../ui/button.tsx";
import { IconButton } from "../../ui/icon-button.tsx";
import { Section } from "./detail-section.tsx";
import type { Condition, FilterField } from "./search.ts";
import { tokensPerSecond } from "./speed.ts";

const ErrorExplainer = lazy(() => import("../../errors/error-explainer.tsx").then(({ ErrorExplainer: one }) => ({ default: one })));

interface SectionProps {
  row: RequestRow;
  detail: RequestDetail | null;
  admin: boolean;
}

/** The error, its cause and what to do; for administrators also the upstream's details. */
export function ErrorView({ row, detail, admin, names }: SectionProps & { names: NameLookup }) {
  const { t } = useTexts();
  return (
    <div className="flex gap-2.5 rounded-lg border border-bad/30 bg-bad-soft px-3 py-2.5 text-sm">
      <CircleAlert aria-hidden="true" className="mt-0.5 size-4 shrink-0 text-bad" />
      <div className="min-w-0">
        <p className="font-medium">
          {row.status > 0 && `${row.status}: `}
          {row.errorCode ? t(`errors.${row.errorCode}` as "errors.internal") : detail?.error?.message}
        </p>
        {admin && detail?.error?.detail && <p className="mt-1 font-mono text-xs break-words text-ink-2">{detail.error.detail}</p>}
        {row.errorCode && <p className="mt-1 font-mono text-xs text-ink-3">{row.errorCode}</p>}
        {isKnownCode(row.errorCode) && (
          <Suspense>
            <ErrorExplainer code={row.errorCode} error={detail?.error ?? null} names={names} />
          </Suspense>
        )}
      </div>
    </div>
  );
}

/** Rows from another version may carry unknown codes. */
function isKnownCode(code: string): code is ErrorCode {
  return code in errorCatalogue;
}

interface OverviewProps extends SectionProps {
  names: NameLookup;
  onFilter(condition: Condition): void;
}

/** Who, what, when and how long. */
export function OverviewView({ row, detail, names, admin, onFilter }: OverviewProps) {
  const { t, language } = useTexts();
  const by = (field: FilterField, value: string) => ({ field, value, onFilter });
  return (
    <Section title={t("detail.overview")}>
      <dl className="divide-y divide-line">
        <Fact name={t("detail.started")}>{formatDateTime(row.startedAtMs, language)}</Fact>
        <Fact name={t("detail.ttft")}>{formatDuration(row.ttftMs)}</Fact>
        <Fact name={t("detail.duration")}>
          {row.state === "in_flight" ? <Ticking sinceMs={row.startedAtMs} /> : formatDuration(row.durationMs)}
        </Fact>
        <Speed row={row} />
        <Fact name={t("filter.model")} filter={by("model", row.model)}>
          {row.model || "—"}
          {row.upstreamModel && row.upstreamModel !== row.model && <span className="text-ink-3"> → {row.upstreamModel}</span>}
        </Fact>
        {admin && row.providerId && (
          <Fact name={t("filter.provider")} filter={by("provider", row.providerId)}>
            {names.provider(row.providerId)}
          </Fact>
        )}
        {admin && row.userId && (
          <Fact name={t("filter.user")} filter={by("user", row.userId)}>
            {names.user(row.userId)}
          </Fact>
        )}
        {row.keyId && (
          <Fact name={t("filter.key")} filter={by("key", row.keyId)}>
            {names.key(row.keyId)}
          </Fact>
        )}
        {row.sessionId && (
          <Fact name={t("filter.session")} filter={by("session", row.sessionId)} filterLabel={t("detail.followSession")}>
            <span className="font-mono text-xs">{row.sessionId.slice(0, 18)}</span>
            <Link
              to="/sessions"
              search={{ session: row.sessionId }}
              aria-label={t("detail.openSession")}
              title={t("detail.openSession")}
              className={buttonClass({ variant: "ghost", size: "iconSm" })}
            >
              <MessagesSquare aria-hidden="true" />
            </Link>
          </Fact>
        )}
        <Fact name={t("detail.endpoint")}>
          {t(`dialect.${row.dialect}`)} · {row.endpoint}
          {row.stream && ` · ${t("detail.stream").toLowerCase()}`}
        </Fact>
        <Fact name={t("detail.group")}>{row.group || "—"}</Fact>
        {row.client && <Fact name={t("detail.client")}>{row.client}</Fact>}
        {detail && <DetailFacts detail={detail} admin={admin} />}
      </dl>
      {row.flags.length > 0 && (
        <ul className="mt-2 flex flex-col gap-1 text-xs text-warn">
          {row.flags.map((flag) => (
            <li key={flag}>{t(`detail.flags.${flag}`)}</li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function DetailFacts({ detail, admin }: { detail: RequestDetail; admin: boolean }) {
  const { t, language } = useTexts();
  return (
    <>
      {admin && detail.clientIp && <Fact name={t("detail.ip")}>{detail.clientIp}</Fact>}
      {detail.path && (
        <Fact name={t("detail.path")}>
          <span className="font-mono text-xs break-all">{detail.path}</span>
        </Fact>
      )}
      <Fact name={t("detail.bytes")}>
        {formatExact(detail.requestBytes, language)} / {formatExact(detail.responseBytes, language)}
      </Fact>
      <Fact name={t("detail.endReason")}>{t(`detail.end.${detail.endReason}`)}</Fact>
    </>
  );
}

interface FactProps {
  name: string;
  children: ReactNode;
  filter?: { field: FilterField; value: string; onFilter(condition: Condition): void } | undefined;
  filterLabel?: string;
}

function Fact({ name, children, filter, filterLabel }: FactProps) {
  const { t } = useTexts();
  return (
    <div className="flex min-h-8 items-center justify-between gap-4 py-0.5 text-sm">
      <dt className="shrink-0 text-ink-3">{name}</dt>
      <dd className="flex min-w-0 items-center gap-1 text-right [overflow-wrap:anywhere]">
        {children}
        {filter?.value && (
          <IconButton
            icon={Filter}
            className="-mr-1.5"
            label={filterLabel ?? t("filter.by", { name, value: filter.value })}
            title={filterLabel ?? `${t("filter.pick")} ${name}`}
            onClick={() => filter.onFilter({ field: filter.field, value: filter.value, not: false })}
          />
        )}
      </dd>
    </div>
  );
}

function Ticking({ sinceMs }: { sinceMs: number }) {
  useStore(ticks);
  return <>{formatElapsed(serverNow() - sinceMs)}</>;
}

/** Output tokens per second, so far while it is in flight. */
function Speed({ row }: { row: RequestRow }) {
  const { t } = useTexts();
  useStore(ticks);
  const rate = tokensPerSecond(row, serverNow());
  return rate === null ? null : <Fact name={t("detail.tokensPerSecond")}>{t("detail.perSecond", { rate })}</Fact>;
}

/** Tokens and cost by kind; the parts add up to the total. */
export function UsageView({ row, detail }: SectionProps) {
  const { t, language } = useTexts();
  const lines = costLines(row.usage, detail?.cost ?? null);
  return (
    <Section title={t("detail.usage")} note={row.billable ? undefined : `${t("detail.billable")}: ${t("detail.no")}`}>
      <table className="w-full text-sm">
        <thead className="sr-only">
          <tr>
            <th scope="col">{t("detail.kind")}</th>
            <th scope="col">{t("logs.tokens")}</th>
            <th scope="col">{t("logs.cost")}</th>
          </tr>
        </thead>
        <tbody>
          {lines.map(({ kind, tokens, nanoUsd }) => (
            <tr key={kind} className="border-b border-line">
              <th scope="row" className="h-8 text-left font-normal text-ink-2">
                {t(`detail.${kind}`)}
              </th>
              <td className="text-right">{formatExact(tokens, language)}</td>
              <td className="w-28 text-right text-ink-2" title={nanoUsd === null ? undefined : exactCost(nanoUsd)}>
                {formatCost(nanoUsd)}
              </td>
            </tr>
          ))}
          <tr className="font-semibold">
            <th scope="row" className="h-9 text-left font-semibold">
              {t("detail.total")}
            </th>
            <td className="text-right">
              {formatExact(
                lines.reduce((sum, { tokens }) => sum + tokens, 0),
                language,
              )}
            </td>
            <td className="text-right" title={row.costNanoUsd === null ? undefined : exactCost(row.costNanoUsd)}>
              {formatCost(row.costNanoUsd)}
            </td>
          </tr>
        </tbody>
      </table>
      {detail?.cost && (detail.cost.providerMultiplier !== "1" || detail.cost.groupMultiplier !== "1") && (
        <p className="text-xs text-ink-3">
          {t("detail.multiplier")}:{" "}
          {t("detail.multipliers", { provider: detail.cost.providerMultiplier, group: detail.cost.groupMultiplier })}
        </p>
      )}
      {row.flags.includes("unpriced") && <p className="text-xs text-warn">{t("detail.unpriced")}</p>}
    </Section>
  );
}
