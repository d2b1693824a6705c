import { CircleX } from "lucide-react";
import { memo, useState } from "react";
import type { NameLookup } from "../../api/names.ts";
import { exactCost, formatCost, formatExact } from "../../format.ts";
import type { BoardRow } from "../../live/session-board.ts";
import { useTexts } from "../../text/i18n.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { CardCell, CardHead, CardRow, CardTable } from "../../ui/card-table.tsx";
import { cn } from "../../ui/class-names.ts";
import { ShowMore } from "../../ui/load-more.tsx";
import { Ago, CachedTokens, InFlight, sessionName, Tokens, whyThere } from "./session-facts.tsx";
import { useHeldRows } from "./use-held-rows.ts";

const columns = [
  { name: "client" },
  { name: "owner" },
  { name: "model" },
  { name: "started", wide: true, right: true },
  { name: "activity", right: true },
  { name: "inFlight", right: true },
  { name: "requests", right: true },
  { name: "tokensIn", right: true },
  { name: "tokensOut", right: true },
  { name: "tokensCached", wide: true, right: true },
  { name: "cost", right: true },
] as const satisfies readonly { name: string; wide?: true; right?: true }[];

/** The text of a column's head. */
function nameOf(column: (typeof columns)[number]["name"], admin: boolean) {
  if (admin) return column;
  if (column === "owner") return "key";
  return column === "model" ? "modelOnly" : column;
}

/** Rows rendered initially: thousands would make the page slow and no easier to read. */
const FIRST = 200;

interface SessionTableProps {
  rows: readonly BoardRow[];
  names: NameLookup;
  /** Others see only their own sessions, and no providers. */
  admin: boolean;
  openId: string | undefined;
  onOpen(id: string): void;
  /** Absent = the viewer has no right to. */
  onTerminate: ((id: string) => void) | undefined;
}

/** The conversations, sorted by start; nothing moves under the pointer. */
export function SessionTable({ rows: all, names, admin, openId, onOpen, onTerminate }: SessionTableProps) {
  const { t } = useTexts();
  const [shown, setShown] = useState(FIRST);
  const { rows, arrived, release, handlers } = useHeldRows(all);
  return (
    <div className="relative">
      {arrived > 0 && (
        <Button
          size="sm"
          variant="primary"
          className="absolute -top-3.5 left-1/2 z-10 -translate-x-1/2 rounded-full shadow-pop"
          onClick={release}
        >
          {t("sessions.arrived", { count: arrived })}
        </Button>
      )}
      <CardTable
        label={t("sessions.table")}
        body={handlers}
        head={
          <>
            {columns.map((column) => (
              <CardHead key={column.name} className={cn("px-2.5", "right" in column && "text-right", "wide" in column && "max-xl:hidden")}>
                {t(`sessions.${nameOf(column.name, admin)}`)}
              </CardHead>
            ))}
            <CardHead className="w-0 pr-3 pl-0">
              <span className="sr-only">{t("sessions.actions")}</span>
            </CardHead>
          </>
        }
      >
        {rows.slice(0, shown).map((one) => (
          <SessionLine
            key={one.row.id}
            one={one}
            names={names}
            admin={admin}
            open={one.row.id === openId}
            onOpen={onOpen}
            onTerminate={onTerminate}
          />
        ))}
      </CardTable>
      {rows.length > shown && <ShowMore shown={shown} total={rows.length} onClick={() => setShown(shown + FIRST)} />}
    </div>
  );
}

interface SessionLineProps extends Pick<SessionTableProps, "names" | "admin" | "onOpen" | "onTerminate"> {
  one: BoardRow;
  open: boolean;
}

const SessionLine = memo(function SessionLine({ one: { row, endedAtMs }, names, admin, open, onOpen, onTerminate }: SessionLineProps) {
  const { t, language } = useTexts();
  const ended = endedAtMs !== null;
  const name = sessionName(row, names);
  const label = `${name} ${row.id.slice(-8)}`;
  return (
    <CardRow
      data-session={row.id}
      data-ended={ended || undefined}
      onClick={() => onOpen(row.id)}
      className={cn("cursor-pointer", open && "bg-accent-soft/60", ended && "bg-sunken text-ink-3 [&_*]:text-ink-3")}
    >
      <CardCell label={t("sessions.client")} className="max-w-56 py-2 pr-2.5 pl-4">
        <button
          type="button"
          aria-label={t("sessions.open", { name: label })}
          className="block max-w-full truncate rounded font-medium text-ink underline-offset-3 hover:underline"
          onClick={(event) => {
            event.stopPropagation();
            onOpen(row.id);
          }}
        >
          {name}
        </button>
        <span className="block truncate font-mono text-2xs text-ink-3">{row.id.slice(-8)}</span>
      </CardCell>
      <CardCell label={t(`sessions.${nameOf("owner", admin)}`)} className="max-w-44 px-2.5 py-2">
        {admin && <span className="block truncate">{names.user(row.userId)}</span>}
        <span className={cn("block truncate", admin && "text-xs text-ink-3")}>{names.key(row.keyId)}</span>
      </CardCell>
      <CardCell label={t(`sessions.${nameOf("model", admin)}`)} className="max-w-68 px-2.5 py-2">
        <span className="block truncate">{row.model}</span>
        {row.providerId && (
          <span className="block truncate text-xs text-ink-3" title={whyThere(row, t)}>
            {names.provider(row.providerId)} · {whyThere(row, t)}
          </span>
        )}
      </CardCell>
      <CardCell label={t("sessions.started")} number className="px-2.5 py-2 text-ink-2 max-xl:hidden">
        <Ago ms={row.startedAtMs} />
      </CardCell>
      <CardCell label={t("sessions.activity")} number className="px-2.5 py-2 text-ink-2">
        {ended ? (
          <Badge>{t("sessions.ended")}</Badge>
        ) : row.inFlight > 0 ? (
          <span className="font-medium text-accent-ink">{t("sessions.now")}</span>
        ) : (
          <Ago ms={row.lastActivityAtMs} />
        )}
      </CardCell>
      <CardCell label={t("sessions.inFlight")} number className="px-2.5 py-2">
        <InFlight count={row.inFlight} />
      </CardCell>
      <CardCell label={t("sessions.requests")} number className="px-2.5 py-2">
        {formatExact(row.requests, language)}
      </CardCell>
      <CardCell label={t("sessions.tokensIn")} number className="px-2.5 py-2">
        <Tokens value={row.inputTokens} />
      </CardCell>
      <CardCell label={t("sessions.tokensOut")} number className="px-2.5 py-2">
        <Tokens value={row.outputTokens} />
      </CardCell>
      <CardCell label={t("sessions.tokensCached")} number className="px-2.5 py-2 max-xl:hidden">
        <CachedTokens row={row} />
      </CardCell>
      <CardCell label={t("sessions.cost")} number className="px-2.5 py-2 font-medium" title={exactCost(row.costNanoUsd)}>
        {formatCost(row.costNanoUsd)}
      </CardCell>
      <CardCell className="py-2 pr-3 text-right">
        {!ended && onTerminate && (
          <Button
            variant="ghost"
            size="sm"
            className="px-1.5 max-md:-ml-1.5"
            aria-label={t("sessions.terminateOf", { name: label })}
            title={t("sessions.terminate")}
            onClick={(event) => {
              event.stopPropagation();
              onTerminate(row.id);
            }}
          >
            <CircleX aria-hidden="true" />
            <span className="md:hidden">{t("sessions.terminate")}</span>
          </Button>
        )}
      </CardCell>
    </CardRow>
  );
});
