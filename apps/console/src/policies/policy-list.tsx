import type { Policies } from "@sluice/core/inputs/policies";
import { useTexts } from "../text/i18n.ts";
import { policyLists } from "./policy-form.ts";

/** What a key may be used for, for viewers who cannot edit it. `isUsable`: only then nothing said means that nothing restricts it. */
export function PolicyList({ policies, isUsable }: { policies: Policies | null; isUsable: boolean }) {
  const { t } = useTexts();
  const said = policyLists.flatMap((list) => {
    const items = policies?.[list] ?? [];
    return items.length > 0 ? [[list, items.join(", ")] as const] : [];
  });
  const days = policies?.validDays;
  const isEmpty = said.length === 0 && days === undefined;
  if (isEmpty && !isUsable) return null;
  return (
    <section className="mt-5">
      <h3 className="mb-2 text-sm font-semibold">{t("policies.title")}</h3>
      {isEmpty && <p className="text-sm text-ink-3">{t("policies.none")}</p>}
      <dl className="grid gap-x-4 gap-y-1 text-sm sm:grid-cols-[10rem_1fr]">
        {said.map(([list, text]) => (
          <div key={list} className="contents">
            <dt className="text-ink-3">{t(`policies.${list}`)}</dt>
            <dd className="min-w-0 font-mono text-xs break-words">{text}</dd>
          </div>
        ))}
      </dl>
      {days !== undefined && <p className="mt-1 text-sm">{t("policies.days", { count: days })}</p>}
    </section>
  );
}
