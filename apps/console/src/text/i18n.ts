import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { en } from "./en.ts";

/** The same keys with other words: what a translation must have. Plural forms a language lacks may be left out. */
type Translation<T> = {
  [K in keyof T as K extends `${string}_one` ? never : K]: T[K] extends string ? string : Translation<T[K]>;
} & { [K in keyof T as K extends `${string}_one` ? K : never]?: string };

export type Texts = Translation<typeof en>;

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "translation";
    resources: { translation: typeof en };
  }
}

export const languages = { en: "English", "zh-CN": "简体中文" } as const;
export type Language = keyof typeof languages;

export function isLanguage(text: string): text is Language {
  return text in languages;
}

/** Loads the texts of the language that theme.js put on the document, then starts. */
export async function startTexts(): Promise<void> {
  const wanted = document.documentElement.lang;
  const language: Language = isLanguage(wanted) ? wanted : "en";
  await i18next.use(initReactI18next).init({
    lng: "en",
    fallbackLng: "en",
    resources: { en: { translation: en } },
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  if (language !== "en") await setLanguage(language);
}

/** Switches without a reload, and remembers. */
export async function setLanguage(language: Language): Promise<void> {
  if (language === "zh-CN" && !i18next.hasResourceBundle("zh-CN", "translation")) {
    const { zhCN } = await import("./zh-CN.ts");
    i18next.addResourceBundle("zh-CN", "translation", zhCN);
  }
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
  try {
    localStorage.setItem("sluice.language", language);
  } catch {
    // Storage may be forbidden: the choice then lasts for this visit.
  }
}
