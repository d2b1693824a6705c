import { Link } from "@tanstack/react-router";
import { useTexts } from "../text/i18n.ts";
import { Dialog, DialogBody } from "../ui/dialog.tsx";
import type { places as all } from "./navigation.ts";
import { OpenAlerts } from "./open-alerts.tsx";

interface MoreSheetProps {
  places: readonly (typeof all)[number][];
  onClose(): void;
}

/** The places that do not fit into the bottom bar of a narrow screen. */
export function MoreSheet({ places, onClose }: MoreSheetProps) {
  const { t } = useTexts();
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={t("nav.more")}>
      <DialogBody className="gap-1 pb-6">
        {places.map(({ to, name, icon: Icon }) => (
          <Link
            key={to}
            to={to}
            onClick={onClose}
            className="flex h-11 items-center gap-3 rounded-lg px-2 text-base font-medium hover:bg-hover"
          >
            <Icon aria-hidden="true" className="size-5 text-ink-3" />
            {t(`nav.${name}`)}
            {name === "alerts" && <OpenAlerts />}
          </Link>
        ))}
      </DialogBody>
    </Dialog>
  );
}
