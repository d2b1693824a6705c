import type { SessionRow } from "@sluice/core/events";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleX, ScrollText, X } from "lucide-react";
import type { ReactNode } from "react";
import { api, type Outputs } from "../../api/client.ts";
import { readFailure } from "../../api/failure.ts";
import type { NameLookup } from "../../api/names.ts";
import { clockParts, exactCost, formatCost, formatExact, formatSpan } from "../../format.ts";
import type { BoardRow } from "../../live/session-board.ts";
import { useTexts } from "../../text/i18n.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button, buttonClass } from "../../ui/button.tsx";
import { CopyButton } from "../../ui/copy-button.tsx";
import { ScrollRegion } from "../../ui/scroll-region.tsx";
import { FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { RecentRequests } from "./recent-requests.tsx";
import { Ago, CachedTokens, InFlight, sessionName, whyThere } from "./session-facts.tsx";

interface SessionDrawerProps {
  id: string;
  /** The row on the board, which is newer than the one read. */
  board: BoardRow | undefined;
  names: NameLookup;
  admin: boolean;
  onClose(): void;
  /** Absent = the viewer has no right to. */
  onTerminate: ((id: string) => void) | undefined;
}

/** One conversation beside the list: its current figures, the reason for its provider, and its newest requests. */
export function SessionDrawer({ id, board, names, admin, onClose, onTerminate }: SessionDrawerProps) {
  const { t } = useTexts();
  const { data, error, refetch } = useQuery({ ...api.sessions.get.queryOptions({ id }), staleTime: 0 });
  const row = board?.row ?? data?.row;
  const gone = board ? board.endedAtMs !== null : error !== null && readFailure(error).code === "not_found";
  return (
    <aside
      aria-label={t("sessions.detail")}
      className="fixed inset-0 z-30 flex flex-col border-l border-line bg-raised sm:left-auto sm:w-[28rem] sm:shadow-pop"
    >
      <header className="flex items-center gap-2 border-b border-line py-2 pr-2 pl-4 md:min-h-14">
        <div className="min-w-0 flex-1">
          <h2 className="truncate text-base font-semibold">{row ? sessionName(row, names) : t("sessions.detail")}</h2>
          {row && <p className="truncate text-xs text-ink-3">{row.model}</p>}
        </div>
        {row && !gone && onTerminate && (
          <Button size="sm" onClick={() => onTerminate(id)}>
            <CircleX aria-hidden="true" />
            {t("sessions.terminate")}
          </Button>
        )}
        <Button variant="ghost" size="icon" aria-label={t("common.close")} title={`${t("common.close")} (Esc)`} onClick={onClose}>
          <X aria-hidden="true" />
        </Button>
      </header>
      <ScrollRegion
        label={t("sessions.overview")}
        className="flex min-h-0 flex-1 flex-col gap-6 overflow-y-auto overscroll-contain px-4 pb-8 -outline-offset-2"
      >
        <div className="-mb-4 flex items-center gap-1 pt-2.5 text-xs text-ink-3">
          <span className="truncate font-mono">{id}</span>
          <CopyButton value={id} what={t("sessions.detail")} />
        </div>
        {gone && <p className="rounded-lg bg-idle-soft px-3 py-2 text-sm text-ink-2">{t("sessions.gone")}</p>}
        {error && !gone && <FailureBox error={error} onRetry={() => void refetch()} />}
        {!row && !error && <SkeletonRows rows={6} className="-mx-4" />}
        {row && <Facts row={row} ended={gone} names={names} admin={admin} />}
        {row && admin && data && !gone && <Where row={row} detail={data} names={names} />}
        <section className="flex flex-col gap-2.5">
          <h3 className="text-sm font-semibold">{t("sessions.recent")}</h3>
          <RecentRequests sessionId={id} />
          <Link to="/logs" search={{ session: id }} className={buttonClass({ variant: "outline" }, "self-start")}>
            <ScrollText aria-hidden="true" />
            {t("sessions.logs")}
          </Link>
        </section>
      </ScrollRegion>
    </aside>
  );
}

function Facts({ row, ended, names, admin }: { row: SessionRow; ended: boolean; names: NameLookup; admin: boolean }) {
  const { t, language } = useTexts();
  const count = (value: number): string => formatExact(value, language);
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1.5 text-sm [&_dd]:min-w-0 [&_dd]:text-right [&_dd]:tabular-nums [&_dt]:text-ink-2">
      {admin && <Fact name={t("sessions.user")}>{names.user(row.userId)}</Fact>}
      <Fact name={t("sessions.key")}>{names.key(row.keyId)}</Fact>
      {row.providerId && <Fact name={t("sessions.provider")}>{names.provider(row.providerId)}</Fact>}
      <Fact name={t("sessions.started")}>
        <Ago ms={row.startedAtMs} />
      </Fact>
      <Fact name={t("sessions.activity")}>
        {ended ? <Badge>{t("sessions.ended")}</Badge> : row.inFlight > 0 ? t("sessions.now") : <Ago ms={row.lastActivityAtMs} />}
      </Fact>
      <Fact name={t("sessions.inFlight")}>
        <InFlight count={ended ? 0 : row.inFlight} />
      </Fact>
      <Fact name={t("sessions.requests")}>{count(row.requests)}</Fact>
      <Fact name={t("sessions.tokensIn")}>{count(row.inputTokens)}</Fact>
      <Fact name={t("sessions.tokensCached")}>
        <CachedTokens row={row} />
      </Fact>
      <Fact name={t("sessions.tokensOut")}>{count(row.outputTokens)}</Fact>
      <Fact name={t("sessions.cost")}>
        <span title={exactCost(row.costNanoUsd)}>{formatCost(row.costNanoUsd)}</span>
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** For administrators: why it is at its provider, and whether it will stay there. */
function Where({ row, detail, names }: { row: SessionRow; detail: Outputs["sessions"]["get"]; names: NameLookup }) {
  const { t, language } = useTexts();
  const { sticky, stickySeconds } = detail;
  return (
    <section className="flex flex-col gap-1.5 text-sm">
      <h3 className="font-semibold">{t("sessions.where")}</h3>
      <p className="text-ink-2">
        {names.provider(row.providerId)}: {whyThere(row, t)}
      </p>
      <p className="text-ink-2">
        {stickySeconds === 0
          ? t("sessions.stickyOff")
          : sticky
            ? `${t("sessions.bound", { provider: names.provider(sticky.providerId), time: clockParts(sticky.sinceMs).time })} ${t("sessions.boundFor", { span: formatSpan(stickySeconds, language) })}`
            : t("sessions.unbound")}
      </p>
    </section>
  );
}
