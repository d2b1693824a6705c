import { useTexts } from "../text/i18n.ts";
import { Button } from "./button.tsx";

interface ShowMoreProps {
  shown: number;
  total: number;
  onClick(): void;
}

/** Below a table of rows that are all here: how many of them are shown, and a button for more. */
export function ShowMore({ shown, total, onClick }: ShowMoreProps) {
  const { t } = useTexts();
  return (
    <div className="flex items-center justify-center gap-3 text-xs text-ink-3">
      {t("common.loadedOf", { shown, total })}
      <Button size="sm" onClick={onClick}>
        {t("common.loadMore")}
      </Button>
    </div>
  );
}

interface LoadMoreProps {
  pages: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage(): unknown };
}

/** Below a list that is read page by page: reads the next one, if there is one. */
export function LoadMore({ pages }: LoadMoreProps) {
  const { t } = useTexts();
  if (!pages.hasNextPage) return null;
  return (
    <Button className="self-center" busy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
      {t("common.loadMore")}
    </Button>
  );
}
