import { Link } from "@tanstack/react-router";
import { Ellipsis, Search } from "lucide-react";
import { memo } from "react";
import type { SignedIn } from "../api/current-login.ts";
import { useTexts } from "../text/i18n.ts";
import { buttonClass } from "../ui/button.tsx";
import { Logo } from "../ui/logo.tsx";
import { Account, type BarProps } from "./account.tsx";
import { LiveIndicator } from "./live-indicator.tsx";
import { placesOf } from "./navigation.ts";
import { OpenAlerts } from "./open-alerts.tsx";

/** Number of places in the bottom bar; the others are in a sheet. */
export const BOTTOM_PLACES = 4;

/** The top bar of a narrow screen. */
export const TopBar = memo(function TopBar({ login, onPalette, onHelp, onPassword }: BarProps) {
  const { t } = useTexts();
  return (
    <header className="flex h-12 shrink-0 items-center justify-between border-b border-line bg-surface pr-1.5 pl-3.5">
      <span className="flex items-center gap-2 font-semibold tracking-tight">
        <Logo className="size-5.5" />
        Sluice
      </span>
      <span className="flex items-center gap-1">
        <LiveIndicator />
        <button
          type="button"
          aria-label={t("palette.open")}
          onClick={onPalette}
          className={buttonClass({ variant: "ghost", size: "icon" })}
        >
          <Search aria-hidden="true" />
        </button>
        <Account compact {...{ login, onHelp, onPassword }} />
      </span>
    </header>
  );
});

/** The navigation of a narrow screen, within reach of the thumb. */
export const BottomBar = memo(function BottomBar({ role, onMore }: { role: SignedIn["user"]["role"]; onMore(): void }) {
  const { t } = useTexts();
  const places = placesOf(role);
  return (
    <nav aria-label={t("nav.label")} className="flex shrink-0 border-t border-line bg-surface pb-[env(safe-area-inset-bottom)]">
      {places.slice(0, BOTTOM_PLACES).map(({ to, name, icon: Icon }) => (
        <Link key={to} to={to} className={item}>
          <Icon aria-hidden="true" className="size-5" />
          {t(`nav.${name}`)}
        </Link>
      ))}
      {places.length > BOTTOM_PLACES && (
        <button type="button" className={item} onClick={onMore}>
          <span className="relative">
            <Ellipsis aria-hidden="true" className="size-5" />
            {role === "admin" && <OpenAlerts dot />}
          </span>
          {t("nav.more")}
        </button>
      )}
    </nav>
  );
});

const item =
  "flex h-14 min-w-0 flex-1 flex-col items-center justify-center gap-0.5 text-2xs font-medium text-ink-3 aria-[current=page]:text-accent-ink";
