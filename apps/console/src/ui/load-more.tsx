import { useTexts } from "../text/i18n.ts";
import { Button } from "./button.tsx";

interface LoadMoreProps {
  shown: number;
  total: number;
  busy: boolean;
  onClick(): void;
}

/** The footer of a table with more pages. */
export function LoadMore({ shown, total, busy, onClick }: LoadMoreProps) {
  const { t } = useTexts();
  return (
    <div className="flex items-center justify-center gap-3 text-xs text-ink-3">
      {t("common.loadedOf", { shown, total })}
      <Button size="sm" busy={busy} onClick={onClick}>
        {t("common.loadMore")}
      </Button>
    </div>
  );
}
