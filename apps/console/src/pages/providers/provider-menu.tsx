import { useNavigate } from "@tanstack/react-router";
import { Copy, Ellipsis, Hand, History, Pencil, PlugZap, RotateCcw, ScrollText, Trash2 } from "lucide-react";
import type { ProviderLine } from "../../providers/provider.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Menu, MenuItem, MenuSeparator } from "../../ui/menu.tsx";
import type { ProviderAct } from "./provider-act.ts";

/** All actions on one provider. */
export function ProviderMenu({ provider, onAct }: { provider: ProviderLine; onAct(act: ProviderAct): void }) {
  const { t } = useTexts();
  const navigate = useNavigate();
  return (
    <Menu
      trigger={
        <Button variant="ghost" size="iconSm" aria-label={t("common.more", { name: provider.name })}>
          <Ellipsis aria-hidden="true" />
        </Button>
      }
    >
      <MenuItem onClick={() => onAct({ kind: "edit", provider })}>
        <Pencil aria-hidden="true" />
        {t("common.edit")}
      </MenuItem>
      <MenuItem onClick={() => onAct({ kind: "test", provider })}>
        <PlugZap aria-hidden="true" />
        {t("providers.test")}
      </MenuItem>
      <MenuItem onClick={() => onAct({ kind: "clone", provider })}>
        <Copy aria-hidden="true" />
        {t("providers.clone")}
      </MenuItem>
      <MenuSeparator />
      <MenuItem onClick={() => onAct({ kind: "override", provider })}>
        <Hand aria-hidden="true" />
        {t("providers.force")}
      </MenuItem>
      <MenuItem onClick={() => onAct({ kind: "reset", provider })}>
        <RotateCcw aria-hidden="true" />
        {t("providers.reset")}
      </MenuItem>
      <MenuSeparator />
      <MenuItem onClick={() => onAct({ kind: "history", provider })}>
        <History aria-hidden="true" />
        {t("providers.history")}
      </MenuItem>
      <MenuItem onClick={() => void navigate({ to: "/logs", search: { provider: provider.id } })}>
        <ScrollText aria-hidden="true" />
        {t("providers.viewLogs")}
      </MenuItem>
      <MenuSeparator />
      <MenuItem danger onClick={() => onAct({ kind: "delete", provider })}>
        <Trash2 aria-hidden="true" />
        {t("common.delete")}
      </MenuItem>
    </Menu>
  );
}
