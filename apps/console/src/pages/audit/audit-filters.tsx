import { useNames } from "../../api/names.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { NativeSelect } from "../../ui/field.tsx";
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
const times = { "1h": "lastHour", "24h": "lastDay", "7d": "lastWeek", "30d": "lastMonth" } as const;

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
      <NativeSelect
        aria-label={t("audit.actor")}
        className="w-auto max-w-56 max-sm:max-w-none max-sm:min-w-0 max-sm:grow max-sm:basis-[calc(50%-0.25rem)]"
        value={search.actor ?? ""}
        onChange={(event) => onChange({ actor: event.target.value || undefined })}
      >
        <option value="">{t("audit.anyActor")}</option>
        {actors.map((actor) => (
          <option key={actor} value={actor}>
            {t(`audit.system.${actor}`)}
          </option>
        ))}
        {names.list.users.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </NativeSelect>
      <NativeSelect
        aria-label={t("audit.target")}
        className="w-auto max-sm:max-w-none max-sm:min-w-0 max-sm:grow max-sm:basis-[calc(50%-0.25rem)]"
        value={search.kind ?? ""}
        onChange={(event) => onChange({ kind: event.target.value || undefined, target: undefined })}
      >
        <option value="">{t("audit.anyTarget")}</option>
        {kinds.map((kind) => (
          <option key={kind} value={kind}>
            {t(`audit.kind.${kind}`)}
          </option>
        ))}
      </NativeSelect>
      <NativeSelect
        aria-label={t("audit.action")}
        className="w-auto max-w-56 max-sm:max-w-none max-sm:min-w-0 max-sm:grow max-sm:basis-[calc(50%-0.25rem)]"
        value={search.action ?? ""}
        onChange={(event) => onChange({ action: event.target.value || undefined })}
      >
        <option value="">{t("audit.anyAction")}</option>
        {known.map((action) => (
          <option key={action} value={action}>
            {action}
          </option>
        ))}
      </NativeSelect>
      <NativeSelect
        aria-label={t("audit.outcome.denied")}
        className="w-auto max-sm:max-w-none max-sm:min-w-0 max-sm:grow max-sm:basis-[calc(50%-0.25rem)]"
        value={search.outcome ?? ""}
        onChange={(event) => onChange({ outcome: (event.target.value || undefined) as AuditSearch["outcome"] })}
      >
        <option value="">{t("audit.anyOutcome")}</option>
        <option value="done">{t("audit.outcome.done")}</option>
        <option value="denied">{t("audit.outcome.denied")}</option>
      </NativeSelect>
      <NativeSelect
        aria-label={t("audit.time")}
        className="w-auto max-sm:max-w-none max-sm:min-w-0 max-sm:grow max-sm:basis-[calc(50%-0.25rem)]"
        value={search.since ?? ""}
        onChange={(event) => onChange({ since: (event.target.value || undefined) as AuditSearch["since"] })}
      >
        <option value="">{t("audit.anyTime")}</option>
        {Object.entries(times).map(([since, name]) => (
          <option key={since} value={since}>
            {t(`audit.${name}`)}
          </option>
        ))}
      </NativeSelect>
      {isFiltered(search) && (
        <Button variant="ghost" onClick={onClear}>
          {t("audit.clearFilters")}
        </Button>
      )}
    </div>
  );
}
