import { ArrowRight } from "lucide-react";
import type { ReactNode } from "react";
import { useTexts } from "../text/i18n.ts";

export interface Difference {
  id: string;
  name: ReactNode;
  /** null = there was no value. */
  before: ReactNode;
  after: ReactNode;
}

/** Changes, one per line: the field's name, its old value struck out, its new value. */
export function DiffList({ label, differences }: { label: string; differences: readonly Difference[] }) {
  const { t } = useTexts();
  return (
    <ul aria-label={label} className="divide-y divide-line rounded-lg border border-line bg-surface text-sm">
      {differences.map(({ id, name, before, after }) => (
        <li key={id} className="flex flex-wrap items-baseline gap-x-3 gap-y-1 px-3 py-2">
          <span className="min-w-0 flex-1 basis-40 break-words font-medium">{name}</span>
          <span className="flex min-w-0 flex-wrap items-center gap-x-2 gap-y-1">
            <span className="sr-only">{t("audit.before")}</span>
            {before === null ? (
              <span className="text-xs text-ink-3">{t("audit.nothing")}</span>
            ) : (
              <del className="max-w-full break-words rounded bg-bad-soft px-1.5 tabular-nums text-bad decoration-1">{before}</del>
            )}
            <ArrowRight aria-hidden="true" className="size-3.5 shrink-0 text-ink-3" />
            <span className="sr-only">{t("audit.after")}</span>
            {after === null ? (
              <span className="text-xs text-ink-3">{t("audit.nothing")}</span>
            ) : (
              <ins className="max-w-full break-words rounded bg-ok-soft px-1.5 tabular-nums text-ok no-underline">{after}</ins>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}
