import { Search } from "lucide-react";
import type { ReactNode } from "react";
import { useTexts } from "../text/i18n.ts";
import { Button } from "../ui/button.tsx";
import { Empty, FailureBox, SkeletonRows } from "../ui/states.tsx";
import { isNarrowed, type ListSearch } from "./list-search.ts";

interface ListFrameProps {
  search: ListSearch;
  query: { isPending: boolean; error: unknown; dataUpdatedAt: number; refetch(): unknown };
  isEmpty: boolean;
  /** Shown before anything exists. */
  first: ReactNode;
  onClear(): void;
  children: ReactNode;
}

/** The states of a list: loading, failed, nothing yet, no matches, or the list. */
export function ListFrame({ search, query, isEmpty, first, onClear, children }: ListFrameProps) {
  const { t } = useTexts();
  const box = "rounded-xl border border-line bg-surface";
  return (
    <>
      {query.error !== null && <FailureBox error={query.error} asOfMs={query.dataUpdatedAt} onRetry={() => void query.refetch()} />}
      {query.isPending && <SkeletonRows className={box} />}
      {!query.isPending && isEmpty && query.error === null && (
        <div className={box}>
          {isNarrowed(search) ? (
            <Empty icon={<Search />} title={t("lists.emptyTitle")} text={t("lists.emptyText")}>
              <Button onClick={onClear}>{t("lists.clear")}</Button>
            </Empty>
          ) : (
            first
          )}
        </div>
      )}
      {!isEmpty && children}
    </>
  );
}
