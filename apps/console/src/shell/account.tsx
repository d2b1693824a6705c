import { lazy, Suspense, useState } from "react";
import type { SignedIn } from "../api/current-login.ts";
import { AccountFace } from "./account-face.tsx";

const loadMenu = () => import("./account-menu.tsx");
const AccountMenu = lazy(() => loadMenu().then(({ AccountMenu: one }) => ({ default: one })));

/** Props of the navigation bars. */
export interface BarProps {
  login: SignedIn;
  onPalette(): void;
  onHelp(): void;
  onPassword(): void;
}

interface AccountProps extends Omit<BarProps, "onPalette"> {
  compact?: boolean;
}

/** The account menu. Its code, with that of all popups, is loaded when the pointer comes near; a click before that opens it on arrival. */
export function Account({ login: { user, version }, compact = false, onHelp, onPassword }: AccountProps) {
  const [pressed, setPressed] = useState(false);
  const load = (): void => void loadMenu().catch(() => undefined);
  const face = (
    <AccountFace
      {...{ user, compact }}
      aria-haspopup="menu"
      aria-expanded={false}
      onPointerEnter={load}
      onFocus={load}
      onClick={() => setPressed(true)}
    />
  );
  if (!pressed) return face;
  return (
    <Suspense fallback={face}>
      <AccountMenu {...{ user, version, compact, onHelp, onPassword }} />
    </Suspense>
  );
}
