import { Plus } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "../../ui/button.tsx";

interface ListSectionProps {
  id: string;
  title: string;
  hint: string;
  add: string;
  onAdd(): void;
  /** Text when there are no items. */
  none: string | null;
  children: ReactNode;
}

/** A titled list with a button that adds an item. */
export function ListSection({ id, title, hint, add, onAdd, none, children }: ListSectionProps) {
  return (
    <section aria-labelledby={id} className="overflow-hidden rounded-xl border border-line bg-surface">
      <header className="flex flex-wrap items-center justify-between gap-2 border-b border-line px-5 py-2.5">
        <h2 id={id} className="text-sm font-semibold">
          {title}
        </h2>
        <Button size="sm" onClick={onAdd}>
          <Plus aria-hidden="true" />
          {add}
        </Button>
      </header>
      <p className="px-5 pt-3 pb-2 text-xs text-ink-3">{hint}</p>
      {none !== null && <p className="px-5 pb-4 text-sm text-ink-2">{none}</p>}
      <ul aria-labelledby={id} className="divide-y divide-line">
        {children}
      </ul>
    </section>
  );
}

interface ListItemProps {
  title: ReactNode;
  detail: ReactNode;
  note?: ReactNode;
  children: ReactNode;
}

/** One item: its description on the left, its actions on the right. */
export function ListItem({ title, detail, note, children }: ListItemProps) {
  return (
    <li className="flex flex-wrap items-start gap-x-3 gap-y-1 px-5 py-2.5">
      <div className="min-w-48 flex-1">
        <p className="flex flex-wrap items-center gap-2 text-sm font-medium [overflow-wrap:anywhere]">{title}</p>
        <p className="text-xs text-ink-2 [overflow-wrap:anywhere]">{detail}</p>
        {note && <p className="text-xs text-ink-3 [overflow-wrap:anywhere]">{note}</p>}
      </div>
      <span className="ml-auto flex shrink-0 items-center">{children}</span>
    </li>
  );
}
