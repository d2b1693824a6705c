import { type ErrorCode, errorCatalogue } from "@sluice/core/errors";
import { getRouteApi } from "@tanstack/react-router";
import { SearchX } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useExplanation } from "../../errors/explanation.ts";
import { hasWords } from "../../lists/has-words.ts";
import { useTexts } from "../../text/i18n.ts";
import { Badge } from "../../ui/badge.tsx";
import { cn } from "../../ui/class-names.ts";
import { Input } from "../../ui/field.tsx";
import { Page } from "../../ui/page.tsx";
import { Empty } from "../../ui/states.tsx";

const route = getRouteApi("/app/errors");
const codes = Object.keys(errorCatalogue) as ErrorCode[];

/** Every error of the catalogue: its meaning, cause and remedy. */
export function ErrorsPage() {
  const { t } = useTexts();
  const { q = "", code } = route.useSearch();
  const navigate = route.useNavigate();
  // The address follows with a delay: an input bound to it would lose the cursor and the text that an input method is composing.
  const [typed, setTyped] = useState(q);
  useEffect(() => setTyped(q), [q]);
  const explanationOf = useExplanation();
  const found = codes
    .map((one) => ({ code: one, ...errorCatalogue[one], title: t(`errors.${one}`), ...explanationOf(one) }))
    .filter((one) => hasWords(q, [one.code, String(one.status), one.title, one.why, one.fix]));
  return (
    <Page title={t("explain.title")} lead={t("explain.lead")}>
      <search>
        <Input
          type="search"
          aria-label={t("explain.search")}
          placeholder={t("explain.search")}
          className="max-w-sm"
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            void navigate({ search: { q: event.target.value || undefined }, replace: true });
          }}
        />
      </search>
      {found.length === 0 && <Empty icon={<SearchX />} title={t("lists.emptyTitle")} text={t("explain.none")} />}
      <ul className="flex flex-col gap-3">
        {found.map((one) => (
          <ErrorCard key={one.code} {...one} named={one.code === code} />
        ))}
      </ul>
    </Page>
  );
}

interface ErrorCardProps {
  code: ErrorCode;
  status: number;
  retryable: boolean;
  title: string;
  why: string;
  fix: string;
  /** The address names it: it is scrolled into view. */
  named: boolean;
}

function ErrorCard({ code, status, retryable, title, why, fix, named }: ErrorCardProps) {
  const { t } = useTexts();
  const card = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (named) card.current?.scrollIntoView({ block: "center" });
  }, [named]);
  return (
    <li
      ref={card}
      aria-current={named || undefined}
      className={cn("rounded-xl border bg-surface px-4 py-3 text-sm", named ? "border-accent" : "border-line")}
    >
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <h2 className="text-base font-semibold">{title}</h2>
        <Badge tone={retryable ? "warn" : "idle"}>{t(retryable ? "explain.retryable" : "explain.notRetryable")}</Badge>
        <span className="font-mono text-xs text-ink-3 sm:ml-auto">
          {status} {code}
        </span>
      </div>
      <dl className="mt-2 grid gap-x-4 gap-y-1 sm:grid-cols-[7rem_1fr]">
        <dt className="text-ink-3">{t("explain.why")}</dt>
        <dd className="text-ink-2">{why}</dd>
        <dt className="text-ink-3">{t("explain.fix")}</dt>
        <dd>{fix}</dd>
      </dl>
    </li>
  );
}
