import type { ErrorCode } from "@sluice/core/errors";
import { type Explanation, explanationsEn } from "../text/explanations-en.ts";
import { explanationsZhCN } from "../text/explanations-zh-CN.ts";
import { useTexts } from "../text/i18n.ts";

/** The cause and the remedy of an error code, in the reader's language. */
export function useExplanation(): (code: ErrorCode) => Explanation {
  const { language } = useTexts();
  const texts = language === "zh-CN" ? explanationsZhCN : explanationsEn;
  return (code) => texts[code];
}
