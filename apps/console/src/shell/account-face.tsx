import { ChevronsUpDown } from "lucide-react";
import type { ComponentProps } from "react";
import type { SignedIn } from "../api/current-login.ts";
import { useTexts } from "../text/i18n.ts";
import { cn } from "../ui/class-names.ts";

interface AccountFaceProps extends ComponentProps<"button"> {
  user: SignedIn["user"];
  compact?: boolean;
}

/** The button of the account menu; it stands in for the menu until that is loaded. */
export function AccountFace({ user, compact = false, className, ...props }: AccountFaceProps) {
  const { t } = useTexts();
  return (
    <button
      type="button"
      aria-label={compact ? t("account.menu") : undefined}
      className={cn(
        "flex min-w-0 items-center gap-2.5 rounded-lg text-left hover:bg-hover",
        compact ? "size-9 justify-center" : "w-full px-2 py-1.5",
        className,
      )}
      {...props}
    >
      <span
        aria-hidden="true"
        className="flex size-7 shrink-0 items-center justify-center rounded-full bg-accent-soft text-xs font-semibold text-accent-ink uppercase"
      >
        {(user.name || user.email).slice(0, 1)}
      </span>
      {!compact && (
        <>
          <span className="sr-only">{t("account.menu")}: </span>
          <span className="min-w-0 flex-1 leading-tight">
            <span className="block truncate text-sm font-medium">{user.name}</span>
            <span className="block truncate text-2xs text-ink-3">{t(`account.${user.role}`)}</span>
          </span>
          <ChevronsUpDown aria-hidden="true" className="size-3.5 text-ink-3" />
        </>
      )}
    </button>
  );
}
