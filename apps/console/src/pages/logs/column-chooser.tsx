import { Columns3 } from "lucide-react";
import { useStore } from "../../live/store.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { IconButton } from "../../ui/icon-button.tsx";
import { Popover } from "../../ui/popover.tsx";
import { type Columns, chooseColumns, columnChoice, columnsFor } from "./columns.ts";

/** Chooses the columns of the table; remembered in this browser. */
export function ColumnChooser({ admin, shown }: { admin: boolean; shown: Columns["shown"] }) {
  const { t } = useTexts();
  const choice = useStore(columnChoice);
  const visible = new Set(shown.map(({ name }) => name));
  return (
    <Popover
      label={t("logs.columns")}
      trigger={<IconButton icon={Columns3} variant="outline" label={t("logs.columns")} />}
      className="w-52 p-2"
    >
      <fieldset className="flex max-h-[70dvh] flex-col overflow-y-auto">
        <legend className="sr-only">{t("logs.columns")}</legend>
        {columnsFor(admin).map((name) => (
          <label key={name} className="flex min-h-8 items-center gap-2.5 rounded-md px-2 text-sm hover:bg-hover">
            <input
              type="checkbox"
              className="size-4 accent-accent"
              checked={visible.has(name)}
              // The last column stays, because a table without columns is useless.
              disabled={visible.has(name) && visible.size === 1}
              onChange={(event) => chooseColumns({ ...choice, [name]: event.target.checked })}
            />
            {t(`logs.${name}`)}
          </label>
        ))}
      </fieldset>
      <Button variant="ghost" size="sm" className="mt-1 w-full" onClick={() => chooseColumns({})}>
        {t("logs.columnsDefault")}
      </Button>
    </Popover>
  );
}
