import { getRouteApi, Outlet, useLocation, useRouter } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useEffect, useState } from "react";
import { useTexts } from "../text/i18n.ts";
import { buttonClass } from "../ui/button.tsx";
import { useMedia } from "../ui/use-media.ts";
import { useOpened } from "../ui/use-opened.ts";
import { ConfigBanner } from "./config-banner.tsx";
import { isTyping, useKeyDown } from "./keys.ts";
import { BOTTOM_PLACES, BottomBar, TopBar } from "./narrow-bars.tsx";
import { placesOf } from "./navigation.ts";
import { SideBar } from "./side-bar.tsx";

const route = getRouteApi("/app");
const KeyboardHelp = lazy(() => import("./keyboard-help.tsx").then(({ KeyboardHelp: one }) => ({ default: one })));
const PasswordDialog = lazy(() => import("./password-dialog.tsx").then(({ PasswordDialog: one }) => ({ default: one })));
const Palette = lazy(() => import("./palette.tsx").then(({ Palette: one }) => ({ default: one })));
const MoreSheet = lazy(() => import("./more-sheet.tsx").then(({ MoreSheet: one }) => ({ default: one })));

/** The frame of all pages: navigation on the left, or at the bottom of a narrow screen; the page; the live indicator. */
export function AppShell() {
  const { t } = useTexts();
  // Selects the stable part of the context, which is recreated whenever the address changes.
  const login = route.useRouteContext({ select: ({ login: one }) => one });
  const wide = useMedia("(min-width: 768px)");
  const [help, setHelp] = useState(false);
  const [more, setMore] = useState(false);
  const [palette, setPalette] = useState(false);
  const { opened: password, open: openPassword, close: closePassword } = useOpened<null>();
  const onHelp = useCallback(() => setHelp(true), []);
  const onMore = useCallback(() => setMore(true), []);
  const onPalette = useCallback(() => setPalette(true), []);
  const onPassword = useCallback(() => openPassword(null), [openPassword]);
  const { role } = login.user;
  useTitle(role);
  useVitals();

  useKeyDown((event) => {
    const wantsPalette = event.key.toLowerCase() === "k" && (event.metaKey || event.ctrlKey) && !event.altKey && !event.shiftKey;
    if (wantsPalette && !event.isComposing) setPalette((open) => !open);
    else if (event.key === "?" && !isTyping(event)) setHelp(true);
    else return;
    event.preventDefault();
  });

  return (
    <div className="flex h-dvh flex-col md:flex-row">
      <a href="#main" className={buttonClass({ variant: "primary" }, "fixed -top-12 left-3 z-50 focus:top-3")}>
        {t("nav.skip")}
      </a>
      {wide ? <SideBar {...{ login, onPalette, onHelp, onPassword }} /> : <TopBar {...{ login, onPalette, onHelp, onPassword }} />}
      <main id="main" tabIndex={-1} className="flex min-h-0 min-w-0 flex-1 flex-col overflow-y-auto outline-none">
        {role === "admin" && <ConfigBanner />}
        <Outlet />
      </main>
      {!wide && <BottomBar role={role} onMore={onMore} />}
      <Suspense>
        {help && <KeyboardHelp onClose={() => setHelp(false)} />}
        {password && <PasswordDialog onClose={closePassword} />}
        {palette && <Palette role={role} onClose={() => setPalette(false)} onHelp={onHelp} />}
        {more && <MoreSheet places={placesOf(role).slice(BOTTOM_PLACES)} onClose={() => setMore(false)} />}
      </Suspense>
    </div>
  );
}

/** Sets the document's title to the current place. */
function useTitle(role: Parameters<typeof placesOf>[0]): void {
  const { t } = useTexts();
  const path = useLocation({ select: ({ pathname }) => pathname });
  const place = placesOf(role).find(({ to }) => path.startsWith(to));
  const title = place ? `${t(`nav.${place.name}`)} · Sluice` : "Sluice";
  useEffect(() => {
    document.title = title;
  }, [title]);
}

/** Measures this visit for the administrators. */
function useVitals(): void {
  const router = useRouter();
  useEffect(() => {
    const measuring = import("../live/vitals.ts").then(({ measureVitals }) => measureVitals(router));
    return () => void measuring.then((end) => end());
  }, [router]);
}
