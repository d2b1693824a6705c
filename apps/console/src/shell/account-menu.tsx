import { ChevronsUpDown, Keyboard, LogOut } from "lucide-react";
import { useTranslation } from "react-i18next";
import { logout } from "../api/auth.ts";
import type { SignedIn } from "../api/current-login.ts";
import { readFailure } from "../api/failure.ts";
import { stopLive } from "../live/hub.ts";
import { cn } from "../ui/class-names.ts";
import { Menu, MenuItem, MenuSeparator } from "../ui/menu.tsx";
import { useFailureText } from "../ui/states.tsx";
import { toastFailed } from "../ui/toast.tsx";
import { LanguageChoice, ThemeChoice } from "./preferences.tsx";

interface AccountMenuProps {
  user: SignedIn["user"];
  version: string;
  compact?: boolean;
  onHelp(): void;
}

/** Who is signed in, language, theme, help and the way out. */
export function AccountMenu({ user, version, compact = false, onHelp }: AccountMenuProps) {
  const { t } = useTranslation();
  const failureText = useFailureText();
  async function signOut(): Promise<void> {
    try {
      await logout();
      stopLive();
      // A fresh document: nothing of one user may linger for the next.
      location.assign("/login");
    } catch (error) {
      toastFailed(failureText(readFailure(error)));
    }
  }
  return (
    <Menu
      side={compact ? "bottom" : "top"}
      align={compact ? "end" : "start"}
      trigger={
        <button
          type="button"
          aria-label={t("account.menu")}
          className={cn("flex min-w-0 items-center gap-2.5 rounded-lg text-left hover:bg-hover", compact ? "size-9 justify-center" : "w-full px-2 py-1.5")}
        >
          <span aria-hidden="true" className="flex size-7 shrink-0 items-center justify-center rounded-full bg-accent-soft text-xs font-semibold text-accent-ink uppercase">
            {(user.name || user.email).slice(0, 1)}
          </span>
          {!compact && (
            <>
              <span className="min-w-0 flex-1 leading-tight">
                <span className="block truncate text-sm font-medium">{user.name}</span>
                <span className="block truncate text-2xs text-ink-3">{t(`account.${user.role}`)}</span>
              </span>
              <ChevronsUpDown aria-hidden="true" className="size-3.5 text-ink-3" />
            </>
          )}
        </button>
      }
    >
      <div className="max-w-64 px-2.5 py-1.5">
        <p className="truncate text-sm font-medium">{user.name}</p>
        <p className="truncate text-xs text-ink-3">{user.email}</p>
      </div>
      <MenuSeparator />
      <ThemeChoice />
      <LanguageChoice />
      <MenuSeparator />
      <MenuItem onClick={onHelp}>
        <Keyboard aria-hidden="true" />
        {t("account.help")}
      </MenuItem>
      <MenuItem onClick={() => void signOut()}>
        <LogOut aria-hidden="true" />
        {t("account.signOut")}
      </MenuItem>
      <p className="px-2.5 pt-1 pb-1.5 text-2xs text-ink-3">{t("account.version", { version })}</p>
    </Menu>
  );
}
