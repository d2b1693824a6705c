import { Link } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { memo } from "react";
import { useTexts } from "../text/i18n.ts";
import { Logo } from "../ui/logo.tsx";
import { Account, type BarProps } from "./account.tsx";
import { placesOf } from "./navigation.ts";
import { OpenAlerts } from "./open-alerts.tsx";

/** The navigation of a wide screen, always visible on the left. */
export const SideBar = memo(function SideBar({ login, onPalette, onHelp, onPassword }: BarProps) {
  const { t } = useTexts();
  return (
    <aside className="flex w-54 shrink-0 flex-col border-r border-line bg-ground">
      <div className="flex h-14 items-center gap-2.5 px-4">
        <Logo className="size-6" />
        <span className="text-base font-semibold tracking-tight">Sluice</span>
      </div>
      <button
        type="button"
        onClick={onPalette}
        className="mx-2.5 mb-2 flex h-8 items-center gap-2 rounded-md border border-line bg-surface px-2 text-sm text-ink-3 hover:border-line-strong hover:text-ink-2"
      >
        <Search aria-hidden="true" className="size-4" />
        <span className="flex-1 text-left">{t("palette.open")}</span>
        <span aria-hidden="true" className="text-2xs">
          {isApple ? "⌘K" : "Ctrl K"}
        </span>
      </button>
      <nav aria-label={t("nav.label")} className="flex flex-1 flex-col gap-0.5 overflow-y-auto px-2.5 py-1">
        {placesOf(login.user.role).map(({ to, name, icon: Icon }) => (
          <Link
            key={to}
            to={to}
            className="group flex h-8 items-center gap-2.5 rounded-md px-2 text-sm font-medium text-ink-2 hover:bg-hover hover:text-ink aria-[current=page]:bg-accent-soft aria-[current=page]:text-accent-ink"
          >
            <Icon aria-hidden="true" className="size-4 text-ink-3 group-hover:text-ink-2 group-aria-[current=page]:text-accent-ink" />
            {t(`nav.${name}`)}
            {name === "alerts" && <OpenAlerts />}
          </Link>
        ))}
      </nav>
      <div className="flex flex-col gap-2 p-2.5">
        <Account {...{ login, onHelp, onPassword }} />
      </div>
    </aside>
  );
});

const isApple = /Mac|iPhone|iPad/.test(navigator.userAgent);
