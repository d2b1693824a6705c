import type { ErrorCode } from "@sluice/core/errors";
import { useTranslation } from "react-i18next";
import { type Explanation, explanationsEn } from "../text/explanations-en.ts";
import { explanationsZhCN } from "../text/explanations-zh-CN.ts";

/** Why a code happens and what to do, in the reader's language. */
export function useExplanation(): (code: ErrorCode) => Explanation {
  const { i18n } = useTranslation();
  const texts = i18n.language === "zh-CN" ? explanationsZhCN : explanationsEn;
  return (code) => texts[code];
}
