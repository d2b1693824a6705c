import type { KeyStatus } from "@sluice/core/key-statuses";
import { Ban, CircleCheck, CirclePause, Hourglass } from "lucide-react";
import { formatDate, formatDateTime } from "../format.ts";
import { limitsInShort } from "../limits/limits-text.ts";
import { serverNow } from "../live/server-clock.ts";
import { useTexts } from "../text/i18n.ts";
import { Badge, type Tone } from "../ui/badge.tsx";
import { isOverlapping, type Key, keyStatus } from "./key.ts";

const looks: Record<KeyStatus, { tone: Tone; icon: typeof Ban }> = {
  active: { tone: "ok", icon: CircleCheck },
  disabled: { tone: "idle", icon: CirclePause },
  expired: { tone: "warn", icon: Hourglass },
  revoked: { tone: "bad", icon: Ban },
};

/** The state in one word, and how long it lasts. */
export function KeyStatusBadge({ row }: { row: Key }) {
  const { t, language } = useTexts();
  const status = keyStatus(row, serverNow());
  const { tone, icon: Icon } = looks[status];
  const ends = status === "active" && row.expiresAtMs !== null ? row.expiresAtMs : null;
  return (
    <span className="flex min-w-0 flex-col items-start gap-0.5">
      <Badge tone={tone}>
        <Icon aria-hidden="true" />
        {status === "disabled" ? t("common.disabled") : t(`keys.${status}`)}
      </Badge>
      {ends !== null && (
        <span className="truncate text-2xs text-ink-3" title={formatDateTime(ends, language)}>
          {t("keys.expiresOn", { date: formatDate(ends, language) })}
        </span>
      )}
    </span>
  );
}

/** The key's own limits, abbreviated. */
export function KeyLimitsText({ row }: { row: Key }) {
  const { t, language } = useTexts();
  const limits = limitsInShort(t, row, language);
  return (
    <span className={limits === "" ? "block truncate text-ink-3" : "block truncate"} title={limits}>
      {limits || t("common.noLimit")}
    </span>
  );
}

/** The visible part of the secret, and whether an older one still works. */
export function KeyPreview({ row }: { row: Key }) {
  const { t, language } = useTexts();
  const overlaps = isOverlapping(row, serverNow()) && row.previousValidUntilMs !== null;
  return (
    <span className="block truncate text-2xs text-ink-3">
      <span className="font-mono">{row.preview}</span>
      {overlaps && (
        <span title={formatDateTime(row.previousValidUntilMs ?? 0, language)}>
          {" · "}
          {t("keys.overlapShort", { time: formatDateTime(row.previousValidUntilMs ?? 0, language) })}
        </span>
      )}
    </span>
  );
}
