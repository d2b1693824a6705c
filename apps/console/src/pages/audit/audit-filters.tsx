import { useNames } from "../../api/names.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { FilterSelect } from "../../ui/filter-select.tsx";
import { type AuditSearch, isFiltered } from "./search.ts";

const kinds = [
  "provider",
  "key",
  "user",
  "group",
  "price",
  "settings",
  "login",
  "session",
  "request",
  "quarantine",
  "ledger",
  "cache",
  "alert",
  "access",
] as const;
const actors = ["config", "cli", "boot", "key"] as const;
const outcomes = ["done", "denied"] as const;
const times = [
  ["1h", "lastHour"],
  ["24h", "lastDay"],
  ["7d", "lastWeek"],
  ["30d", "lastMonth"],
] as const;

interface AuditFiltersProps {
  search: AuditSearch;
  /** Actions seen so far; a complete list would need a query. */
  actions: readonly string[];
  onChange(change: Partial<AuditSearch>): void;
  onClear(): void;
}

/** Filters by actor, action, target and time. */
export function AuditFilters({ search, actions, onChange, onClear }: AuditFiltersProps) {
  const { t } = useTexts();
  const names = useNames();
  const known = [...new Set([...actions, ...(search.action ? [search.action] : [])])].sort();
  return (
    <div className="flex flex-wrap gap-2">
      <FilterSelect
        label={t("audit.actor")}
        className="max-w-56"
        value={search.actor}
        any={t("audit.anyActor")}
        options={[
          ...actors.map((actor) => ({ value: actor, label: t(`audit.system.${actor}`) })),
          ...names.list.users.map(({ id, name }) => ({ value: id, label: name })),
        ]}
        onChange={(actor) => onChange({ actor })}
      />
      <FilterSelect
        label={t("audit.target")}
        value={search.kind}
        any={t("audit.anyTarget")}
        options={kinds.map((kind) => ({ value: kind, label: t(`audit.kind.${kind}`) }))}
        onChange={(kind) => onChange({ kind, target: undefined })}
      />
      <FilterSelect
        label={t("audit.action")}
        className="max-w-56"
        value={search.action}
        any={t("audit.anyAction")}
        options={known.map((action) => ({ value: action, label: action }))}
        onChange={(action) => onChange({ action })}
      />
      <FilterSelect
        label={t("audit.outcome.denied")}
        value={search.outcome}
        any={t("audit.anyOutcome")}
        options={outcomes.map((outcome) => ({ value: outcome, label: t(`audit.outcome.${outcome}`) }))}
        onChange={(outcome) => onChange({ outcome })}
      />
      <FilterSelect
        label={t("audit.time")}
        value={search.since}
        any={t("audit.anyTime")}
        options={times.map(([since, name]) => ({ value: since, label: t(`audit.${name}`) }))}
        onChange={(since) => onChange({ since })}
      />
      {isFiltered(search) && (
        <Button variant="ghost" onClick={onClear}>
          {t("audit.clearFilters")}
        </Button>
      )}
    </div>
  );
}
