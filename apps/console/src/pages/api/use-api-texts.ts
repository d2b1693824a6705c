import { type ApiTexts, apiEn } from "../../text/api-en.ts";
import { apiZhCN } from "../../text/api-zh-CN.ts";
import { useTexts } from "../../text/i18n.ts";

/** The page's texts in the reader's language. */
export function useApiTexts(): ApiTexts {
  const { language } = useTexts();
  return language === "zh-CN" ? apiZhCN : apiEn;
}
