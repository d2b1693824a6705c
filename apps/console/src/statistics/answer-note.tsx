import type { Answered } from "@sluice/core/statistics";
import { useTranslation } from "react-i18next";
import { clockParts } from "../format.ts";

/** As of when the figures are, and in whose days. */
export function AnswerNote({ answer, zone }: { answer: Answered; zone: string }) {
  const { t } = useTranslation();
  return <span title={t(`statistics.cache.${answer.cache}`)}>{t("statistics.asOf", { time: clockParts(answer.asOf).time, zone })}</span>;
}
