import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router";
import { Compass, Lock, RefreshCw, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { readFailure } from "../api/failure.ts";
import { useTexts } from "../text/i18n.ts";
import { Button, buttonClass } from "../ui/button.tsx";
import { CopyButton } from "../ui/copy-button.tsx";

/** A page in place of one that does not exist, is not allowed, did not load or failed. */
function Fallback({ icon, title, text, children }: { icon: ReactNode; title: string; text: string; children?: ReactNode }) {
  return (
    <div className="flex min-h-[70dvh] flex-1 flex-col items-center justify-center gap-1 px-6 text-center">
      <span aria-hidden="true" className="mb-3 text-ink-3 [&_svg]:size-8">
        {icon}
      </span>
      <h1 className="text-lg font-semibold">{title}</h1>
      <p className="max-w-md text-sm text-ink-2">{text}</p>
      <div className="mt-5 flex flex-col items-center gap-3">{children}</div>
    </div>
  );
}

function HomeLink() {
  const { t } = useTexts();
  return (
    <Link to="/overview" className={buttonClass({ variant: "outline" })}>
      {t("page.home")}
    </Link>
  );
}

export function NotFoundPage() {
  const { t } = useTexts();
  return (
    <Fallback icon={<Compass />} title={t("page.notFound")} text={t("page.notFoundText")}>
      <HomeLink />
    </Fallback>
  );
}

export function ForbiddenPage() {
  const { t } = useTexts();
  return (
    <Fallback icon={<Lock />} title={t("errors.forbidden")} text={t("page.forbidden")}>
      <HomeLink />
    </Fallback>
  );
}

/** The errors of Chrome, Firefox and Safari when code fails to load. */
const NOT_LOADED = /dynamically imported module|Importing a module script failed/;

/**
 * Shown when a page's code failed to load: another version was deployed, or the connection broke. React remembers such a failure, so only
 * a reload helps.
 */
function UnloadedPage() {
  const { t } = useTexts();
  return (
    <Fallback icon={<RefreshCw />} title={t("page.unloaded")} text={t("page.unloadedText")}>
      <Button variant="primary" onClick={() => location.reload()}>
        {t("page.reload")}
      </Button>
    </Fallback>
  );
}

/** Shown when a page threw; with the request id to report if the server was the cause. */
export function CrashPage({ error, reset }: ErrorComponentProps) {
  const { t } = useTexts();
  const router = useRouter();
  if (error instanceof Error && NOT_LOADED.test(error.message)) return <UnloadedPage />;
  const failure = readFailure(error);
  const fromServer = typeof error === "object" && error !== null && "data" in error;
  const text = fromServer || failure.requestId ? t(`errors.${failure.code}`) : t("page.crashedText");
  return (
    <Fallback icon={<TriangleAlert />} title={t("page.crashed")} text={text}>
      {failure.requestId && (
        <p className="flex items-center gap-1 text-xs text-ink-2">
          {t("common.requestId")} <span className="font-mono">{failure.requestId}</span>
          <CopyButton value={failure.requestId} what={t("common.requestId")} />
        </p>
      )}
      {!fromServer && error instanceof Error && <p className="max-w-lg font-mono text-xs break-words text-ink-3">{error.message}</p>}
      <Button
        variant="primary"
        onClick={() => {
          reset();
          void router.invalidate();
        }}
      >
        {t("common.retry")}
      </Button>
    </Fallback>
  );
}
