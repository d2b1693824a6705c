import { lazy, Suspense, useState } from "react";
import type { SignedIn } from "../api/current-login.ts";
import { AccountFace } from "./account-face.tsx";

const AccountMenu = lazy(() => import("./account-menu.tsx").then(({ AccountMenu: one }) => ({ default: one })));

/** What the bars of a screen are given. */
export interface BarProps {
  login: SignedIn;
  onPalette(): void;
  onHelp(): void;
  onPassword(): void;
}

interface AccountProps extends Omit<BarProps, "onPalette"> {
  compact?: boolean;
}

/** The account menu, whose code comes after the page's. A press on the face before it is here is not lost: the menu then arrives open. */
export function Account({ login: { user, version }, compact = false, onHelp, onPassword }: AccountProps) {
  const [pressed, setPressed] = useState(false);
  return (
    <Suspense fallback={<AccountFace user={user} compact={compact} onClick={() => setPressed(true)} />}>
      <AccountMenu {...{ user, version, compact, onHelp, onPassword }} initiallyOpen={pressed} />
    </Suspense>
  );
}
