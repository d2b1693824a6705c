import type { RequestRow } from "@sluice/core/requests";
import { formatDuration } from "../../format.ts";
import { serverNow, ticks } from "../../live/server-clock.ts";
import { useStore } from "../../live/store.ts";
import { useTexts } from "../../text/i18n.ts";
import { Section } from "./detail-section.tsx";

/** One bar: waiting for the first content, then receiving. It grows while the request is in flight. */
export function TimingsView({ row }: { row: RequestRow }) {
  return row.state === "in_flight" ? <Growing row={row} /> : <Bar row={row} endMs={row.durationMs ?? 0} />;
}

function Growing({ row }: { row: RequestRow }) {
  useStore(ticks);
  return <Bar row={row} endMs={Math.max(0, serverNow() - row.startedAtMs)} />;
}

function Bar({ row: { ttftMs }, endMs }: { row: RequestRow; endMs: number }) {
  const { t } = useTexts();
  const waited = Math.min(endMs, ttftMs ?? endMs);
  const share = endMs > 0 ? (waited / endMs) * 100 : 0;
  const text = t("detail.timingsText", { first: formatDuration(ttftMs), end: formatDuration(endMs) });
  return (
    <Section title={t("detail.timings")} note={formatDuration(endMs)}>
      <div role="img" aria-label={text} title={text} className="mt-2.5 flex h-2 overflow-hidden rounded-full bg-idle-soft">
        <span className="bg-accent/35" style={{ width: `${share}%` }} />
        <span className="bg-accent" style={{ width: `${100 - share}%` }} />
      </div>
      <p className="mt-1.5 flex justify-between text-xs text-ink-3">
        <span>
          {t("detail.waiting")} <span className="text-ink-2">{formatDuration(waited)}</span>
        </span>
        {ttftMs !== null && (
          <span>
            {t("detail.receiving")} <span className="text-ink-2">{formatDuration(Math.max(0, endMs - ttftMs))}</span>
          </span>
        )}
      </p>
    </Section>
  );
}
