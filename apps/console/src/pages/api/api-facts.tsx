import { Link } from "@tanstack/react-router";
import { useTexts } from "../../text/i18n.ts";
import { CodeBlock } from "../../ui/code-block.tsx";
import { CopyButton } from "../../ui/copy-button.tsx";
import type { System } from "../../ui/snippet-text.ts";
import { signInCall } from "./example-call.ts";
import { type Access, documentPath } from "./openapi-document.ts";
import { useApiTexts } from "./use-api-texts.ts";

/** What applies to every operation: address, access, and the meaning of values. */
export function ApiFacts({ base, role, system }: { base: string; role: Access; system: System }) {
  const { t } = useTexts();
  const texts = useApiTexts();
  const byLogin = role !== "key";
  return (
    <section aria-label={texts.credentials} className="flex flex-col gap-4 rounded-xl border border-line bg-surface px-4 py-3.5">
      <dl className="grid gap-x-4 gap-y-0.5 text-sm sm:gap-y-2 sm:grid-cols-[8.5rem_1fr]">
        <Fact name={texts.address}>
          <Address url={`${base}/api/v1`} what={texts.address} />
        </Fact>
        <Fact name={texts.document}>
          <span className="flex min-w-0 items-center gap-1">
            <a href={documentPath} className="truncate font-mono text-xs text-accent-ink underline underline-offset-2">
              {documentPath}
            </a>
            <CopyButton value={base + documentPath} what={texts.document} className="-my-1.5" />
          </span>
        </Fact>
        <Fact name={texts.credentials}>
          {texts.ofKey}
          {byLogin && ` ${texts.ofLogin}`}
        </Fact>
        <Fact name={texts.values}>{texts.valuesText}</Fact>
        <Fact name={t("nav.errors")}>
          <Link to="/errors" className="text-accent-ink underline underline-offset-2">
            {t("explain.lead")}
          </Link>
        </Fact>
      </dl>
      {byLogin && <CodeBlock title={texts.signIn} code={signInCall(base, system)} what={texts.signIn} />}
    </section>
  );
}

function Address({ url, what }: { url: string; what: string }) {
  return (
    <span className="flex min-w-0 items-center gap-1">
      <span className="truncate font-mono text-xs">{url}</span>
      <CopyButton value={url} what={what} className="-my-1.5" />
    </span>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <>
      <dt className="text-ink-3 not-first:max-sm:mt-2">{name}</dt>
      <dd className="min-w-0 text-ink-2">{children}</dd>
    </>
  );
}
