import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { Ellipsis, KeyRound, Pencil, RefreshCw, ScrollText, TimerOff, Trash2 } from "lucide-react";
import { serverNow } from "../live/server-clock.ts";
import { useTexts } from "../text/i18n.ts";
import { Button } from "../ui/button.tsx";
import { Menu, MenuItem, MenuSeparator } from "../ui/menu.tsx";
import { Switch } from "../ui/switch.tsx";
import { isOverlapping, type Key } from "./key.ts";

/** An action on a key. */
export type KeyAct =
  | { act: "open" | "edit" | "rotate" | "revoke" | "endOverlap"; key: Key }
  | { act: "enable"; key: Key; enabled: boolean };

interface KeyControlsProps {
  row: Key;
  admin: boolean;
  tabIndex: 0 | -1;
  onAct(act: KeyAct): void;
}

const appRoute = getRouteApi("/app");

/** The switch and the menu of a key's row. Only administrators see the switch enabled; a login by key may change nothing. */
export function KeyControls({ row, admin, tabIndex, onAct }: KeyControlsProps) {
  const { t } = useTexts();
  const navigate = useNavigate();
  const { role } = appRoute.useRouteContext().login.user;
  const fixed = row.revokedAtMs !== null || role === "key";
  return (
    <div className="flex items-center justify-end gap-2">
      {admin && !fixed && (
        <Switch
          checked={row.enabled}
          tabIndex={tabIndex}
          onChange={(enabled) => onAct({ act: "enable", key: row, enabled })}
          label={`${t("common.enabled")}: ${row.name}`}
        />
      )}
      <Menu
        trigger={
          <Button variant="ghost" size="iconSm" tabIndex={tabIndex} aria-label={t("common.more", { name: row.name })}>
            <Ellipsis aria-hidden="true" />
          </Button>
        }
      >
        <MenuItem onClick={() => onAct({ act: "open", key: row })}>
          <KeyRound aria-hidden="true" />
          {t("keys.openTitle", { name: row.name })}
        </MenuItem>
        {!fixed && (
          <MenuItem onClick={() => onAct({ act: "edit", key: row })}>
            <Pencil aria-hidden="true" />
            {t("common.edit")}
          </MenuItem>
        )}
        <MenuItem onClick={() => void navigate({ to: "/logs", search: { key: row.id } })}>
          <ScrollText aria-hidden="true" />
          {t("keys.viewLogs")}
        </MenuItem>
        {!fixed && (
          <>
            <MenuSeparator />
            <MenuItem onClick={() => onAct({ act: "rotate", key: row })}>
              <RefreshCw aria-hidden="true" />
              {t("keys.rotate")}
            </MenuItem>
            {isOverlapping(row, serverNow()) && (
              <MenuItem onClick={() => onAct({ act: "endOverlap", key: row })}>
                <TimerOff aria-hidden="true" />
                {t("keys.endOverlap")}
              </MenuItem>
            )}
            <MenuItem danger onClick={() => onAct({ act: "revoke", key: row })}>
              <Trash2 aria-hidden="true" />
              {t("keys.revoke")}
            </MenuItem>
          </>
        )}
      </Menu>
    </div>
  );
}
