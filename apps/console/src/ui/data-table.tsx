// biome-ignore-all lint/a11y/noRedundantRoles: cards change the display of rows, and browsers then forget what they are
import {
  type ColumnDef,
  createSortedRowModel,
  rowSortingFeature,
  type SortingState,
  sortFns,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { ArrowDown, ArrowUp } from "lucide-react";
import { useState } from "react";
import { cn } from "./class-names.ts";
import { ScrollRegion } from "./scroll-region.tsx";

const dataFeatures = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel(), sortFns });

export type DataColumn<T extends object> = ColumnDef<typeof dataFeatures, T, unknown> & {
  /** Hidden on narrow screens. */
  wideOnly?: boolean;
  align?: "right";
};

interface DataTableProps<T extends object> {
  label: string;
  rows: T[];
  columns: DataColumn<T>[];
  rowId(row: T): string;
  /** Dims rows that are off. */
  dim?(row: T): boolean;
  sort?: SortingState;
  /** One line a row. */
  dense?: boolean;
}

/** A small table whose rows are all here: sortable, and never wider than its pane. */
export function DataTable<T extends object>({ label, rows, columns, rowId, dim, sort = [], dense = false }: DataTableProps<T>) {
  const [sorting, setSorting] = useState<SortingState>(sort);
  const table = useTable({
    features: dataFeatures,
    data: rows,
    columns,
    getRowId: rowId,
    state: { sorting },
    onSortingChange: setSorting,
  });
  const cell = (column: { columnDef: object }): string => {
    const { wideOnly, align } = column.columnDef as DataColumn<T>;
    return cn(wideOnly && "max-lg:hidden", align === "right" && "text-right");
  };
  return (
    <ScrollRegion label={label} className="card-table overflow-x-auto rounded-xl border border-line bg-surface">
      <table role="table" aria-label={label} className="w-full border-collapse text-sm">
        <thead role="rowgroup">
          {table.getHeaderGroups().map((group) => (
            <tr key={group.id} role="row" className="border-b border-line">
              {group.headers.map((header) => {
                const sorted = header.column.getIsSorted();
                const Arrow = sorted === "desc" ? ArrowDown : ArrowUp;
                return (
                  <th
                    key={header.id}
                    role="columnheader"
                    scope="col"
                    aria-sort={sorted ? (sorted === "asc" ? "ascending" : "descending") : undefined}
                    className={cn(
                      "h-9 px-3 text-left text-xs font-medium whitespace-nowrap text-ink-3 first:pl-4 last:pr-4",
                      cell(header.column),
                    )}
                  >
                    {header.column.getCanSort() ? (
                      <button
                        type="button"
                        onClick={header.column.getToggleSortingHandler()}
                        className={cn("-mx-1 inline-flex h-7 items-center gap-1 rounded px-1 hover:text-ink", sorted && "text-ink")}
                      >
                        <table.FlexRender header={header} />
                        {sorted && <Arrow aria-hidden="true" className="size-3" />}
                      </button>
                    ) : (
                      <table.FlexRender header={header} />
                    )}
                  </th>
                );
              })}
            </tr>
          ))}
        </thead>
        <tbody role="rowgroup">
          {table.getRowModel().rows.map((row) => (
            <tr
              key={row.id}
              role="row"
              className={cn("border-b border-line last:border-b-0 hover:bg-hover", dim?.(row.original) && "text-ink-3")}
            >
              {row.getAllCells().map((one) => (
                <td
                  key={one.id}
                  role="cell"
                  data-label={labelOf(one.column.columnDef.header)}
                  className={cn(dense ? "h-10" : "h-12", "px-3 py-1.5 align-middle first:pl-4 last:pr-4", cell(one.column))}
                >
                  <table.FlexRender cell={one} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

/** The column's name inside a card; a header that is drawn, not written, has none. */
function labelOf(header: unknown): string | undefined {
  return typeof header === "string" ? header : undefined;
}
