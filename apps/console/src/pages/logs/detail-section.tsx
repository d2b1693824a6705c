import type { ReactNode } from "react";

/** A titled part of the drawer. */
export function Section({ title, note, children }: { title: string; note?: string; children: ReactNode }) {
  return (
    <section>
      <div className="flex items-baseline justify-between gap-4 border-b border-line pb-1.5">
        <h3 className="text-sm font-semibold">{title}</h3>
        {note && <span className="text-right text-xs text-ink-3">{note}</span>}
      </div>
      {children}
    </section>
  );
}
