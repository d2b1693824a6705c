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
import { CardCell, CardHead, CardRow, CardTable } from "./card-table.tsx";
import { cn } from "./class-names.ts";

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
  /** Dims rows that are disabled. */
  dim?(row: T): boolean;
  sort?: SortingState;
  /** Limits the number of rows, after sorting. */
  most?: number;
  /** One line per row. */
  dense?: boolean;
}

/** A small table whose rows are all in memory: sortable, and never wider than its pane. */
export function DataTable<T extends object>({ label, rows, columns, rowId, dim, sort = [], most, dense = false }: DataTableProps<T>) {
  const [sorting, setSorting] = useState<SortingState>(sort);
  const table = useTable({
    features: dataFeatures,
    data: rows,
    columns,
    getRowId: rowId,
    state: { sorting },
    onSortingChange: setSorting,
  });
  const drawn = table.getRowModel().rows.slice(0, most);
  const cell = (column: { columnDef: object }): string => {
    const { wideOnly, align } = column.columnDef as DataColumn<T>;
    return cn(wideOnly && "max-lg:hidden", align === "right" && "text-right");
  };
  return (
    <CardTable
      label={label}
      head={table.getHeaderGroups().flatMap((group) =>
        group.headers.map((header) => {
          const sorted = header.column.getIsSorted();
          const Arrow = sorted === "desc" ? ArrowDown : ArrowUp;
          return (
            <CardHead
              key={header.id}
              aria-sort={sorted ? (sorted === "asc" ? "ascending" : "descending") : undefined}
              className={cell(header.column)}
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
            </CardHead>
          );
        }),
      )}
    >
      {drawn.map((row) => (
        <CardRow key={row.id} className={cn(dim?.(row.original) && "text-ink-3")}>
          {row.getAllCells().map((one) => (
            <CardCell
              key={one.id}
              label={labelOf(one.column.columnDef.header)}
              className={cn(dense ? "h-10" : "h-12", "align-middle", cell(one.column))}
            >
              <table.FlexRender cell={one} />
            </CardCell>
          ))}
        </CardRow>
      ))}
    </CardTable>
  );
}

/** The column's name inside a card; a rendered header has none. */
function labelOf(header: unknown): string | undefined {
  return typeof header === "string" ? header : undefined;
}
