import { Search } from "lucide-react";
import type { ProviderLine } from "../../providers/provider.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Input } from "../../ui/field.tsx";

interface SelectionBarProps {
  shown: readonly ProviderLine[];
  chosen: readonly ProviderLine[];
  search: string;
  onSearch(text: string): void;
  onSelect(ids: readonly string[]): void;
  onEdit(): void;
  onEnable(enabled: boolean): void;
}

/** Search and selection, and the actions on selected providers. */
export function SelectionBar({ shown, chosen, search, onSearch, onSelect, onEdit, onEnable }: SelectionBarProps) {
  const { t } = useTexts();
  const all = shown.length > 0 && shown.every((provider) => chosen.includes(provider));
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
      <label className="flex min-h-8 items-center gap-2 pl-4 text-sm">
        <input
          type="checkbox"
          checked={all}
          disabled={shown.length === 0}
          onChange={() => onSelect(all ? [] : shown.map(({ id }) => id))}
          className="size-4 accent-(--accent)"
        />
        {chosen.length === 0 ? t("providers.selectAll") : t("providers.selected", { count: chosen.length })}
      </label>
      {chosen.length > 0 && (
        <div className="flex flex-wrap items-center gap-2">
          <Button size="sm" variant="primary" onClick={onEdit}>
            {t("providers.batch.edit")}
          </Button>
          <Button size="sm" onClick={() => onEnable(true)}>
            {t("providers.batch.enable")}
          </Button>
          <Button size="sm" onClick={() => onEnable(false)}>
            {t("providers.batch.disable")}
          </Button>
          <Button size="sm" variant="ghost" onClick={() => onSelect([])}>
            {t("providers.clear")}
          </Button>
        </div>
      )}
      <div className="relative ml-auto w-60 max-sm:w-full">
        <Search aria-hidden="true" className="pointer-events-none absolute top-2 left-2.5 size-4 text-ink-3" />
        <Input
          type="search"
          aria-label={t("providers.find")}
          placeholder={t("providers.find")}
          value={search}
          onChange={(event) => onSearch(event.target.value)}
          className="pl-8"
        />
      </div>
    </div>
  );
}
