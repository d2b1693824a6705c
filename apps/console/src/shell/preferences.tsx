import { Languages, Monitor, Moon, Sun } from "lucide-react";
import { useStore } from "../live/store.ts";
import { isLanguage, languages, setLanguage, useTexts } from "../text/i18n.ts";
import { setTheme, type Theme, theme } from "../theme.ts";
import { Button } from "../ui/button.tsx";
import { Menu, MenuChoice } from "../ui/menu.tsx";

const themeIcons = { light: Sun, dark: Moon, system: Monitor };

/** Light, dark or as the system; remembered by this browser. */
export function ThemeChoice() {
  const { t } = useTexts();
  const current = useStore(theme);
  const names = { light: t("account.themeLight"), dark: t("account.themeDark"), system: t("account.themeSystem") };
  const options = (["light", "dark", "system"] as const).map((value) => {
    const Icon = themeIcons[value];
    return {
      value,
      label: (
        <>
          <Icon aria-hidden="true" />
          {names[value]}
        </>
      ),
    };
  });
  return <MenuChoice label={t("account.theme")} value={current} onChange={(next) => setTheme(next as Theme)} options={options} />;
}

/** The language of the console; remembered by this browser. */
export function LanguageChoice() {
  const { t, language } = useTexts();
  const options = Object.entries(languages).map(([value, label]) => ({ value, label: <span lang={value}>{label}</span> }));
  return (
    <MenuChoice
      label={t("account.language")}
      value={language}
      onChange={(next) => {
        if (isLanguage(next)) void setLanguage(next);
      }}
      options={options}
    />
  );
}

/** Language and theme switches for pages outside the shell. */
export function PreferencesBar() {
  const { t } = useTexts();
  const current = useStore(theme);
  const Icon = themeIcons[current];
  return (
    <div className="flex items-center gap-1">
      <Menu
        trigger={
          <Button variant="ghost" size="icon" aria-label={t("account.language")} title={t("account.language")}>
            <Languages aria-hidden="true" />
          </Button>
        }
      >
        <LanguageChoice />
      </Menu>
      <Menu
        trigger={
          <Button variant="ghost" size="icon" aria-label={t("account.theme")} title={t("account.theme")}>
            <Icon aria-hidden="true" />
          </Button>
        }
      >
        <ThemeChoice />
      </Menu>
    </div>
  );
}
