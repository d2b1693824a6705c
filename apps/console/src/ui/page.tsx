import type { ReactNode } from "react";
import { cn } from "./class-names.ts";

interface PageProps {
  title: string;
  /** Beside the title: how current the page is. */
  state?: ReactNode;
  lead?: ReactNode;
  /** Buttons on the right of the title. */
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
}

/** The frame of an ordinary page: title, one line of orientation, actions, content. */
export function Page({ title, state, lead, actions, children, className }: PageProps) {
  return (
    <div className={cn("mx-auto flex w-full max-w-[84rem] flex-col gap-5 px-4 py-5 md:px-7 md:py-7", className)}>
      <div className="flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
        <div className="min-w-0">
          <div className="flex items-center gap-3">
            <h1 className="text-xl font-semibold tracking-tight">{title}</h1>
            {state && <div className="max-md:hidden">{state}</div>}
          </div>
          {lead && <p className="mt-0.5 max-w-[68ch] text-sm text-ink-2">{lead}</p>}
        </div>
        {actions && <div className="flex items-center gap-2">{actions}</div>}
      </div>
      {children}
    </div>
  );
}
