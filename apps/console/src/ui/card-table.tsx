// biome-ignore-all lint/a11y/noRedundantRoles: cards change the display of rows, and browsers then drop their roles
import type { ComponentProps, ReactNode } from "react";
import { cn } from "./class-names.ts";
import { ScrollRegion } from "./scroll-region.tsx";

interface CardTableProps {
  label: string;
  /** Header cells: {@link CardHead}. */
  head: ReactNode;
  /** Rows: {@link CardRow}. */
  children: ReactNode;
  /** Props of the body. */
  body?: ComponentProps<"tbody">;
}

/** A framed table whose rows become cards on a narrow screen (styles.css), while it remains a table for assistive technology. */
export function CardTable({ label, head, children, body }: CardTableProps) {
  return (
    <ScrollRegion label={label} className="card-table overflow-x-auto rounded-xl border border-line bg-surface">
      <table role="table" aria-label={label} className="w-full border-collapse text-sm">
        <thead role="rowgroup">
          <tr role="row" className="border-b border-line">
            {head}
          </tr>
        </thead>
        <tbody role="rowgroup" {...body}>
          {children}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

export function CardHead({ className, ...props }: ComponentProps<"th">) {
  return (
    <th
      role="columnheader"
      scope="col"
      className={cn("h-9 px-3 text-left text-xs font-medium whitespace-nowrap text-ink-3 first:pl-4 last:pr-4", className)}
      {...props}
    />
  );
}

export function CardRow({ className, ...props }: ComponentProps<"tr">) {
  return <tr role="row" className={cn("border-b border-line last:border-b-0 hover:bg-hover", className)} {...props} />;
}

/** The header cell of a row. */
export function CardRowHead({ className, ...props }: ComponentProps<"th">) {
  return <th role="rowheader" scope="row" className={cn("py-1.5 pr-3 text-left font-normal", className)} {...props} />;
}

interface CardCellProps extends ComponentProps<"td"> {
  /** Shown above the value in a card. */
  label?: string | undefined;
  number?: boolean;
}

export function CardCell({ label, number = false, className, ...props }: CardCellProps) {
  return (
    <td
      role="cell"
      data-label={label}
      className={cn("px-3 py-1.5 first:pl-4 last:pr-4", number && "text-right tabular-nums whitespace-nowrap", className)}
      {...props}
    />
  );
}
