import { Keyboard, LockKeyhole, LogOut } from "lucide-react";
import { logout } from "../api/auth.ts";
import { queryClient } from "../api/client.ts";
import type { SignedIn } from "../api/current-login.ts";
import { stopLive } from "../live/hub.ts";
import { useTexts } from "../text/i18n.ts";
import { Menu, MenuItem, MenuSeparator } from "../ui/menu.tsx";
import { useToastFailure } from "../ui/use-toast-failure.ts";
import { AccountFace } from "./account-face.tsx";
import { LanguageChoice, ThemeChoice } from "./preferences.tsx";

interface AccountMenuProps {
  user: SignedIn["user"];
  version: string;
  compact?: boolean;
  onHelp(): void;
  onPassword(): void;
}

/** The signed-in user, language, theme, help and sign-out. It is rendered on request, so it starts open. */
export function AccountMenu({ user, version, compact = false, onHelp, onPassword }: AccountMenuProps) {
  const { t } = useTexts();
  const toastFailure = useToastFailure();
  async function signOut(): Promise<void> {
    try {
      await logout();
      stopLive();
      queryClient.clear();
      // A new document, so that nothing of one user remains for the next.
      location.assign("/login");
    } catch (error) {
      toastFailure(error);
    }
  }
  return (
    <Menu
      initiallyOpen
      side={compact ? "bottom" : "top"}
      align={compact ? "end" : "start"}
      trigger={<AccountFace user={user} compact={compact} />}
    >
      <div className="max-w-64 px-2.5 py-1.5">
        <p className="truncate text-sm font-medium">{user.name}</p>
        <p className="truncate text-xs text-ink-3">{user.email || t(`account.${user.role}`)}</p>
      </div>
      <MenuSeparator />
      <ThemeChoice />
      <LanguageChoice />
      <MenuSeparator />
      {user.role !== "key" && (
        <MenuItem onClick={onPassword}>
          <LockKeyhole aria-hidden="true" />
          {t("users.ownPassword")}
        </MenuItem>
      )}
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
