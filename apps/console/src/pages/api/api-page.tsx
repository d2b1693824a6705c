import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { SearchX } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { hasWords } from "../../lists/has-words.ts";
import { useTexts } from "../../text/i18n.ts";
import { Input } from "../../ui/field.tsx";
import { Page } from "../../ui/page.tsx";
import { clientBaseUrl } from "../../ui/snippet-text.ts";
import { Empty, FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { SystemSelect, useSystem } from "../../ui/system-select.tsx";
import { ApiFacts } from "./api-facts.tsx";
import { type OpenApiDocument, type Operation, operationsOf, readDocument } from "./openapi-document.ts";
import { OperationCard } from "./operation-card.tsx";
import { useApiTexts } from "./use-api-texts.ts";

const route = getRouteApi("/app/api");
/** Each role may call what the ones before it may. */
const roles = ["key", "user", "admin"] as const;

/** The REST API according to the gateway's own document: what the reader may call, with examples. */
export function ApiPage() {
  const { t } = useTexts();
  const { lead } = useApiTexts();
  const { data, error, refetch } = useQuery({ queryKey: ["openapi"], queryFn: readDocument });
  return (
    <Page title={t("nav.api")} lead={lead}>
      {error && <FailureBox error={error} onRetry={() => void refetch()} />}
      {!data && !error && <SkeletonRows rows={10} className="rounded-xl border border-line bg-surface" />}
      {data && <Document document={data} />}
    </Page>
  );
}

function Document({ document }: { document: OpenApiDocument }) {
  const texts = useApiTexts();
  const { login } = route.useRouteContext();
  const { q = "", op } = route.useSearch();
  const navigate = route.useNavigate();
  // The address follows with a delay: an input bound to it would lose the cursor and the text that an input method is composing.
  const [typed, setTyped] = useState(q);
  useEffect(() => setTyped(q), [q]);
  const [system, setSystem] = useSystem();
  const { role } = login.user;
  const all = useMemo(() => operationsOf(document), [document]);
  const allowed = all.filter(({ access }) => roles.indexOf(access) <= roles.indexOf(role));
  const found = allowed.filter(({ id, method, path, tag, summary }) =>
    hasWords(q, [id, method, path, tag, summary, texts.tags[tag] ?? "", texts.summaries[id] ?? ""]),
  );
  const base = clientBaseUrl(login.baseUrl, location);
  return (
    <>
      <ApiFacts base={base} role={role} system={system} />
      <div className="flex flex-wrap items-center justify-between gap-3">
        <search className="min-w-0 flex-1">
          <Input
            type="search"
            aria-label={texts.search}
            placeholder={texts.search}
            className="max-w-sm"
            value={typed}
            onChange={(event) => {
              setTyped(event.target.value);
              void navigate({ search: (now) => ({ ...now, q: event.target.value || undefined }), replace: true });
            }}
          />
        </search>
        <SystemSelect system={system} onSelect={setSystem} />
      </div>
      {found.length === 0 && <Empty icon={<SearchX />} title={texts.none} text={q} />}
      {byTag(found).map(([tag, operations]) => (
        <section key={tag} aria-label={texts.tags[tag] ?? tag} className="flex flex-col gap-2">
          <h2 className="text-sm font-semibold">{texts.tags[tag] ?? tag}</h2>
          <ul className="overflow-hidden rounded-xl border border-line bg-surface">
            {operations.map((one) => (
              <OperationCard
                key={one.id}
                operation={one}
                schemas={document.components.schemas}
                base={base}
                system={system}
                named={one.id === op}
                onOpen={() => void navigate({ search: (now) => ({ ...now, op: one.id }), replace: true })}
              />
            ))}
          </ul>
        </section>
      ))}
      {allowed.length < all.length && <p className="text-sm text-ink-3">{texts.more}</p>}
    </>
  );
}

/** Groups in the order of their first operation. */
function byTag(operations: readonly Operation[]): [string, Operation[]][] {
  return [...Map.groupBy(operations, ({ tag }) => tag)];
}
