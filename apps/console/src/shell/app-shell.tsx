import { getRouteApi, Link, Outlet, useLocation, useRouter } from "@tanstack/react-router";
import { Ellipsis, Search } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { buttonClass } from "../ui/button.tsx";
import { cn } from "../ui/class-names.ts";
import { Logo } from "../ui/logo.tsx";
import { AccountFace } from "./account-face.tsx";
import { ConfigBanner } from "./config-banner.tsx";
import { isTyping } from "./keys.ts";
import { LiveIndicator } from "./live-indicator.tsx";
import { placesOf } from "./navigation.ts";
import { OpenAlerts } from "./open-alerts.tsx";

const route = getRouteApi("/app");
const AccountMenu = lazy(() => import("./account-menu.tsx").then(({ AccountMenu: one }) => ({ default: one })));
const KeyboardHelp = lazy(() => import("./keyboard-help.tsx").then(({ KeyboardHelp: one }) => ({ default: one })));
const PasswordDialog = lazy(() => import("./password-dialog.tsx").then(({ PasswordDialog: one }) => ({ default: one })));
const Palette = lazy(() => import("./palette.tsx").then(({ Palette: one }) => ({ default: one })));
const MoreSheet = lazy(() => import("./more-sheet.tsx").then(({ MoreSheet: one }) => ({ default: one })));

/** Navigation at the left, or at the bottom of a narrow screen; the page; one indicator of how current it is. */
export function AppShell() {
  const { t } = useTranslation();
  const { login } = route.useRouteContext();
  const [help, setHelp] = useState(false);
  const [more, setMore] = useState(false);
  const [palette, setPalette] = useState(false);
  const [password, setPassword] = useState(false);
  // A press on the face before the menu's code is here is not lost: the menu then arrives open.
  const [pressedEarly, setPressedEarly] = useState<"side" | "top" | null>(null);
  const places = placesOf(login.user.role);
  const bottom = places.slice(0, 4);

  const path = useLocation({ select: ({ pathname }) => pathname });
  const place = places.find(({ to }) => path.startsWith(to));
  const title = place ? `${t(`nav.${place.name}`)} · Sluice` : "Sluice";
  useEffect(() => {
    document.title = title;
  }, [title]);

  const router = useRouter();
  useEffect(() => {
    const measuring = import("../live/vitals.ts").then(({ measureVitals }) => measureVitals(router));
    return () => void measuring.then((end) => end());
  }, [router]);

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const wantsPalette = event.key.toLowerCase() === "k" && (event.metaKey || event.ctrlKey) && !event.altKey && !event.shiftKey;
      if (wantsPalette && !event.isComposing) setPalette((open) => !open);
      else if (event.key === "?" && !isTyping(event)) setHelp(true);
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);

  return (
    <div className="flex h-dvh flex-col md:flex-row">
      <a href="#main" className={buttonClass({ variant: "primary" }, "fixed -top-12 left-3 z-50 focus:top-3")}>
        {t("nav.skip")}
      </a>
      <aside className="hidden w-54 shrink-0 flex-col border-r border-line bg-ground md:flex">
        <div className="flex h-14 items-center gap-2.5 px-4">
          <Logo className="size-6" />
          <span className="text-base font-semibold tracking-tight">Sluice</span>
        </div>
        <button
          type="button"
          onClick={() => setPalette(true)}
          className="mx-2.5 mb-2 flex h-8 items-center gap-2 rounded-md border border-line bg-surface px-2 text-sm text-ink-3 hover:border-line-strong hover:text-ink-2"
        >
          <Search aria-hidden="true" className="size-4" />
          <span className="flex-1 text-left">{t("palette.open")}</span>
          <span aria-hidden="true" className="text-2xs">
            {isApple ? "⌘K" : "Ctrl K"}
          </span>
        </button>
        <nav aria-label={t("nav.label")} className="flex flex-1 flex-col gap-0.5 overflow-y-auto px-2.5 py-1">
          {places.map(({ to, name, icon: Icon }) => (
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
          <Suspense fallback={<AccountFace user={login.user} onClick={() => setPressedEarly("side")} />}>
            <AccountMenu
              user={login.user}
              version={login.version}
              initiallyOpen={pressedEarly === "side"}
              onHelp={() => setHelp(true)}
              onPassword={() => setPassword(true)}
            />
          </Suspense>
        </div>
      </aside>
      <header className="flex h-12 shrink-0 items-center justify-between border-b border-line bg-surface pr-1.5 pl-3.5 md:hidden">
        <span className="flex items-center gap-2 font-semibold tracking-tight">
          <Logo className="size-5.5" />
          Sluice
        </span>
        <span className="flex items-center gap-1">
          <LiveIndicator />
          <button
            type="button"
            aria-label={t("palette.open")}
            onClick={() => setPalette(true)}
            className={buttonClass({ variant: "ghost", size: "icon" })}
          >
            <Search aria-hidden="true" />
          </button>
          <Suspense fallback={<AccountFace user={login.user} compact onClick={() => setPressedEarly("top")} />}>
            <AccountMenu
              compact
              user={login.user}
              version={login.version}
              initiallyOpen={pressedEarly === "top"}
              onHelp={() => setHelp(true)}
              onPassword={() => setPassword(true)}
            />
          </Suspense>
        </span>
      </header>
      <main id="main" tabIndex={-1} className="flex min-h-0 min-w-0 flex-1 flex-col overflow-y-auto outline-none">
        {login.user.role === "admin" && <ConfigBanner />}
        <Outlet />
      </main>
      <nav aria-label={t("nav.label")} className="flex shrink-0 border-t border-line bg-surface pb-[env(safe-area-inset-bottom)] md:hidden">
        {bottom.map(({ to, name, icon: Icon }) => (
          <Link key={to} to={to} className={bottomItem}>
            <Icon aria-hidden="true" className="size-5" />
            {t(`nav.${name}`)}
          </Link>
        ))}
        {places.length > bottom.length && (
          <button type="button" className={bottomItem} onClick={() => setMore(true)}>
            <span className="relative">
              <Ellipsis aria-hidden="true" className="size-5" />
              {login.user.role === "admin" && <OpenAlerts dot />}
            </span>
            {t("nav.more")}
          </button>
        )}
      </nav>
      <Suspense>
        {help && <KeyboardHelp onClose={() => setHelp(false)} />}
        {password && <PasswordDialog onClose={() => setPassword(false)} />}
        {palette && <Palette role={login.user.role} onClose={() => setPalette(false)} onHelp={() => setHelp(true)} />}
        {more && <MoreSheet places={places.slice(bottom.length)} onClose={() => setMore(false)} />}
      </Suspense>
    </div>
  );
}

const isApple = /Mac|iPhone|iPad/.test(navigator.userAgent);

const bottomItem = cn(
  "flex h-14 min-w-0 flex-1 flex-col items-center justify-center gap-0.5 text-2xs font-medium text-ink-3",
  "aria-[current=page]:text-accent-ink",
);
