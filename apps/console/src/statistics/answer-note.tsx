import type { Answered } from "@sluice/core/statistics";
import { clockParts } from "../format.ts";
import { useTexts } from "../text/i18n.ts";

/** When the figures were computed, and the time zone of their days. */
export function AnswerNote({ answer, zone }: { answer: Answered; zone: string }) {
  const { t } = useTexts();
  return <span title={t(`statistics.cache.${answer.cache}`)}>{t("statistics.asOf", { time: clockParts(answer.asOf).time, zone })}</span>;
}
