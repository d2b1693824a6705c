import { Link } from "@tanstack/react-router";
import { Download, ScrollText } from "lucide-react";
import { useTexts } from "../text/i18n.ts";
import { buttonClass } from "../ui/button.tsx";
import { IconButton } from "../ui/icon-button.tsx";
import type { logSearch } from "./search.ts";

interface ChartToolsProps {
  /** Title of the chart or table. */
  title: string;
  /** Filter for the requests behind it; absent = there is no such list. */
  logs?: ReturnType<typeof logSearch>;
  onCsv(): void;
}

/** Links from a chart or table to its requests, and the CSV download. */
export function ChartTools({ title, logs, onCsv }: ChartToolsProps) {
  const { t } = useTexts();
  return (
    <>
      {logs && (
        <Link
          to="/logs"
          search={logs}
          aria-label={t("statistics.toLogs", { title })}
          title={t("statistics.toLogs", { title })}
          className={buttonClass({ variant: "ghost", size: "iconSm" })}
        >
          <ScrollText aria-hidden="true" />
        </Link>
      )}
      <IconButton icon={Download} label={t("statistics.toCsv", { title })} onClick={onCsv} />
    </>
  );
}
