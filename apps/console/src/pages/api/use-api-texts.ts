import { useTranslation } from "react-i18next";
import { type ApiTexts, apiEn } from "../../text/api-en.ts";
import { apiZhCN } from "../../text/api-zh-CN.ts";

/** The page's texts in the reader's language. */
export function useApiTexts(): ApiTexts {
  const { i18n } = useTranslation();
  return i18n.language === "zh-CN" ? apiZhCN : apiEn;
}
