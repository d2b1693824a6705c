import { createStore, useStore } from "../live/store.ts";
import { en } from "./en.ts";
import { type Translate, translator } from "./translator.ts";

/** The type of a translation: the same keys with other texts. Plural forms that a language lacks may be omitted. */
type Translation<T> = {
  [K in keyof T as K extends `${string}_one` ? never : K]: T[K] extends string ? string : Translation<T[K]>;
} & { [K in keyof T as K extends `${string}_one` ? K : never]?: string };

export type Texts = Translation<typeof en>;

export const languages = { en: "English", "zh-CN": "简体中文" } as const;
export type Language = keyof typeof languages;

export function isLanguage(text: string): text is Language {
  return text in languages;
}

/** The current language. */
interface Spoken {
  t: Translate;
  language: Language;
}

const spoken = createStore<Spoken>({ t: translator(en, "en"), language: "en" });

/** `t` returns a text in the reader's language; components that call this re-render when the language changes. */
export function useTexts(): Spoken {
  return useStore(spoken);
}

/** Loads the texts of the language that theme.js set on the document. */
export async function startTexts(): Promise<void> {
  const wanted = document.documentElement.lang;
  if (isLanguage(wanted) && wanted !== spoken.get().language) await setLanguage(wanted);
}

/** Switches the language without a reload, and remembers it. */
export async function setLanguage(language: Language): Promise<void> {
  const texts = language === "zh-CN" ? (await import("./zh-CN.ts")).zhCN : en;
  spoken.set({ t: translator(texts, language), language });
  document.documentElement.lang = language;
  try {
    localStorage.setItem("sluice.language", language);
  } catch {
    // Storage may be unavailable: the choice then lasts for this visit.
  }
}
