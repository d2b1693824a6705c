import type { RequestRow } from "@sluice/core/requests";
import type { Translate } from "../../text/translator.ts";

/**
 * Drawn here with one path each, after lucide's icons: a log under load creates hundreds per second, and the library's components with
 * several shapes each took a fifth of a row's cost.
 */
const circle = "M12 2a10 10 0 1 0 0 20a10 10 0 1 0 0-20";
const looks = {
  done: { path: `${circle}M8 12l3 3l5-6`, tone: "text-ok", word: "font-medium text-ink-2" },
  error: { path: `${circle}M15 9l-6 6M9 9l6 6`, tone: "text-bad", word: "font-medium text-bad" },
  aborted: { path: "M9 21H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2h4M16 17l5-5l-5-5M21 12H9", tone: "text-idle", word: "font-medium text-idle" },
  refused: { path: `${circle}M4.9 4.9l14.2 14.2`, tone: "text-warn", word: "font-medium text-warn" },
  lost: { path: `${circle}M9.1 9a3 3 0 0 1 5.8 1c0 2-3 3-3 3M12 17h.01`, tone: "text-warn", word: "font-medium text-warn" },
  in_flight: { path: `${circle}M12 7v5l3 2`, tone: "text-accent-ink", word: "font-medium text-accent-ink" },
  streaming: { path: "M13 2L3 14h9l-1 8L21 10h-9z", tone: "text-accent-ink", word: "font-medium text-accent-ink" },
} as const;

/**
 * Icon, word, colour and HTTP status of a request: never colour alone. Nothing is animated: forty animated icons would cost the log its
 * frame rate, and the elapsed time beside them already shows the activity.
 */
export function RequestState({ row, t, className = "" }: { row: RequestRow; t: Translate; className?: string }) {
  const state = row.state === "in_flight" && row.ttftMs !== null ? "streaming" : row.state;
  const { path, tone, word } = looks[state];
  return (
    <span
      className={`inline-flex items-center gap-1.5 ${className}`}
      title={row.errorCode ? t(`errors.${row.errorCode}` as "errors.internal") : undefined}
    >
      <svg
        aria-hidden="true"
        viewBox="0 0 24 24"
        className={`size-3.5 shrink-0 ${tone}`}
        fill="none"
        stroke="currentColor"
        strokeWidth="2"
        strokeLinecap="round"
        strokeLinejoin="round"
      >
        <path d={path} />
      </svg>
      <span className={word}>{t(`state.${state}`)}</span>
      {row.status > 0 && <span className="text-ink-3">{row.status}</span>}
    </span>
  );
}
