import { useNavigate } from "@tanstack/react-router";
import { ChevronRight, CircleCheck, CirclePause, Ellipsis, KeyRound, Pencil, ScrollText, ShieldCheck, Trash2, Wallet } from "lucide-react";
import { CreditState } from "../../credits/credit-state.tsx";
import { exactCost, formatCost } from "../../format.ts";
import { FiguresLine, usageCell } from "../../keys/key-row.tsx";
import { useUsage } from "../../lists/usage-cells.tsx";
import { useTexts } from "../../text/i18n.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { cn } from "../../ui/class-names.ts";
import { Menu, MenuItem, MenuSeparator } from "../../ui/menu.tsx";
import { Switch } from "../../ui/switch.tsx";
import type { User } from "./user.ts";

/** An action on a user. */
export type UserAct =
  | { act: "edit" | "delete" | "newKey"; user: User }
  | { act: "enable"; user: User; enabled: boolean }
  | { act: "toggle"; user: User; expanded: boolean };

interface UserCellProps {
  user: User;
  me: string;
  expanded: boolean;
  tabIndex: 0 | -1;
  onAct(act: UserAct): void;
}

export function UserCell({ column, ...props }: UserCellProps & { column: string }) {
  const { user } = props;
  if (column === "name") return <UserName {...props} />;
  if (column === "status") return <UserStatus user={user} />;
  if (column === "roleGroup") return <RoleBadge user={user} />;
  if (column === "credit") return <UserCredit user={user} />;
  if (column === "limits") return <KeyCount user={user} />;
  if (column === "actions") return <UserControls {...props} />;
  return usageCell(user.id, column);
}

/** A user where there is no room for columns. */
export function UserCard(props: UserCellProps) {
  return (
    <div className="flex flex-col gap-1.5">
      <div className="flex items-center justify-between gap-3">
        <UserName {...props} />
        <UserControls {...props} />
      </div>
      <FiguresLine id={props.user.id}>
        {props.user.role !== "user" && <RoleBadge user={props.user} />}
        <UserCredit user={props.user} oneLine />
      </FiguresLine>
    </div>
  );
}

function UserName({ user, me, expanded, tabIndex, onAct }: UserCellProps) {
  const { t } = useTexts();
  return (
    <span className="flex min-w-0 items-center gap-2">
      {/* The row itself announces whether it is expanded, and is expanded by the arrow keys. */}
      <Button
        variant="ghost"
        size="iconSm"
        tabIndex={tabIndex}
        className="-ml-1.5"
        aria-label={`${t("keys.title")}: ${user.name}`}
        onClick={() => onAct({ act: "toggle", user, expanded: !expanded })}
      >
        <ChevronRight aria-hidden="true" className={cn("transition-transform duration-150", expanded && "rotate-90")} />
      </Button>
      <span className="min-w-0">
        <span className="block truncate font-medium">
          {user.name}
          {user.id === me && <span className="font-normal text-ink-3"> ({t("users.you")})</span>}
        </span>
        <span className="block truncate text-xs text-ink-3">{user.email}</span>
      </span>
    </span>
  );
}

function UserStatus({ user }: { user: User }) {
  const { t } = useTexts();
  return (
    <span className="flex min-w-0 flex-col items-start gap-0.5">
      <Badge tone={user.enabled ? "ok" : "idle"}>
        {user.enabled ? <CircleCheck aria-hidden="true" /> : <CirclePause aria-hidden="true" />}
        {user.enabled ? t("common.enabled") : t("common.disabled")}
      </Badge>
      {!user.hasPassword && <span className="truncate text-2xs text-ink-3">{t("users.noPassword")}</span>}
    </span>
  );
}

function RoleBadge({ user }: { user: User }) {
  const { t } = useTexts();
  return (
    <Badge tone={user.role === "admin" ? "accent" : "idle"}>
      {user.role === "admin" && <ShieldCheck aria-hidden="true" />}
      {t(`account.${user.role}`)}
    </Badge>
  );
}

/** The balance; for a postpaid user, a note that they are. */
function UserCredit({ user: { credit }, oneLine = false }: { user: User; oneLine?: boolean }) {
  if (!credit) return null;
  return (
    <span className={cn("inline-flex", oneLine ? "items-center gap-2" : "flex-col items-start gap-0.5")}>
      {credit.billing !== "postpaid" && (
        <span className="tabular-nums" title={exactCost(credit.balanceNanoUsd)}>
          {formatCost(credit.balanceNanoUsd)}
        </span>
      )}
      <CreditState account={credit} />
    </span>
  );
}

function KeyCount({ user: { keys = 0 } }: { user: User }) {
  const { t } = useTexts();
  return <span className="block truncate text-ink-2">{keys >= 100 ? t("users.manyKeys") : t("users.keyCount", { count: keys })}</span>;
}

function UserControls({ user, me, tabIndex, onAct }: UserCellProps) {
  const { t } = useTexts();
  const navigate = useNavigate();
  const requests = useUsage(user.id)?.requests ?? 0;
  const isNamed = requests > 0 || (user.keys ?? 0) > 0 || user.id === me;
  return (
    <div className="flex items-center justify-end gap-2">
      <Switch
        checked={user.enabled}
        disabled={user.id === me}
        tabIndex={tabIndex}
        onChange={(enabled) => onAct({ act: "enable", user, enabled })}
        label={`${t("common.enabled")}: ${user.name}`}
      />
      <Menu
        trigger={
          <Button variant="ghost" size="iconSm" tabIndex={tabIndex} aria-label={t("common.more", { name: user.name })}>
            <Ellipsis aria-hidden="true" />
          </Button>
        }
      >
        <MenuItem onClick={() => onAct({ act: "edit", user })}>
          <Pencil aria-hidden="true" />
          {t("common.edit")}
        </MenuItem>
        <MenuItem onClick={() => onAct({ act: "newKey", user })}>
          <KeyRound aria-hidden="true" />
          {t("users.newKey")}
        </MenuItem>
        <MenuItem onClick={() => void navigate({ to: "/credits", search: { user: user.id } })}>
          <Wallet aria-hidden="true" />
          {t("credits.title")}
        </MenuItem>
        <MenuItem onClick={() => void navigate({ to: "/logs", search: { user: user.id } })}>
          <ScrollText aria-hidden="true" />
          {t("users.viewLogs")}
        </MenuItem>
        {!isNamed && (
          <>
            <MenuSeparator />
            <MenuItem danger onClick={() => onAct({ act: "delete", user })}>
              <Trash2 aria-hidden="true" />
              {t("common.delete")}
            </MenuItem>
          </>
        )}
      </Menu>
    </div>
  );
}
