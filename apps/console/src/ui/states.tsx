import { CircleAlert, RotateCw } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { type Failure, readFailure } from "../api/failure.ts";
import { clockParts } from "../format.ts";
import { useTexts } from "../text/i18n.ts";
import { Button } from "./button.tsx";
import { cn } from "./class-names.ts";
import { CopyButton } from "./copy-button.tsx";

/** A grey bar in the size of the content. */
function Skeleton({ className }: { className?: string }) {
  return <span aria-hidden="true" className={cn("block animate-pulse rounded bg-idle-soft", className)} />;
}

/** Rows of bars, shown only when loading takes longer than 150 ms. */
export function SkeletonRows({ rows = 6, className }: { rows?: number; className?: string }) {
  const { t } = useTexts();
  const late = useLate(150);
  return (
    <div role="presentation" className={className}>
      <span className="sr-only">{t("common.loading")}</span>
      {late &&
        Array.from({ length: rows }, (_, row) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: bars have no identity
          <div key={row} className="flex h-12 items-center gap-6 border-b border-line px-4">
            <Skeleton className="h-3 w-32" />
            <Skeleton className="h-3 w-24" />
            <Skeleton className="h-3 flex-1" />
            <Skeleton className="h-3 w-16" />
          </div>
        ))}
    </div>
  );
}

function useLate(ms: number): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), ms);
    return () => clearTimeout(timer);
  }, [ms]);
  return late;
}

interface EmptyProps {
  icon: ReactNode;
  title: string;
  text: ReactNode;
  children?: ReactNode;
}

/** Shown when there is nothing yet: what will be here, and what to do. */
export function Empty({ icon, title, text, children }: EmptyProps) {
  return (
    <div className="mx-auto flex w-full max-w-xl flex-col items-center px-5 py-14 text-center">
      <div
        aria-hidden="true"
        className="mb-3 flex size-11 items-center justify-center rounded-xl border border-line bg-surface text-ink-3 [&_svg]:size-5"
      >
        {icon}
      </div>
      <h2 className="text-base font-semibold">{title}</h2>
      <p className="mt-1 max-w-md text-sm text-balance text-ink-2">{text}</p>
      {children && <div className="mt-5 w-full text-left [&>button]:mx-auto [&>button]:flex">{children}</div>}
    </div>
  );
}

/** The text of a failure in the reader's language. */
export function useFailureText(): (failure: Failure) => string {
  const { t } = useTexts();
  return (failure) => (failure.code === "invalid_request" && failure.message ? failure.message : t(`errors.${failure.code}`));
}

interface FailureBoxProps {
  error: unknown;
  onRetry?(): void;
  /** When the content still shown was read, in ms since the epoch; 0 = there is none. */
  asOfMs?: number;
  className?: string;
}

/** A failed read: the error, the request id, the age of what is still shown, and a retry button. */
export function FailureBox({ error, onRetry, asOfMs = 0, className }: FailureBoxProps) {
  const { t } = useTexts();
  const failure = isFailure(error) ? error : readFailure(error);
  const text = useFailureText()(failure);
  return (
    <div role="alert" className={cn("flex flex-wrap items-center gap-3 rounded-lg border border-bad/35 bg-bad-soft px-4 py-3", className)}>
      <CircleAlert aria-hidden="true" className="size-4.5 shrink-0 text-bad" />
      <div className="min-w-0 flex-1">
        <p className="text-sm font-medium text-ink">{text}</p>
        {asOfMs > 0 && <p className="text-xs text-ink-2">{t("common.asOf", { time: clockParts(asOfMs).time })}</p>}
        {failure.requestId && (
          <p className="flex items-center gap-1 text-xs text-ink-2">
            <span className="whitespace-nowrap">{t("common.requestId")}</span>{" "}
            <span className="truncate font-mono">{failure.requestId}</span>
            <CopyButton value={failure.requestId} what={t("common.requestId")} />
          </p>
        )}
      </div>
      {onRetry && (
        <Button size="sm" onClick={onRetry}>
          <RotateCw aria-hidden="true" />
          {t("common.retry")}
        </Button>
      )}
    </div>
  );
}

function isFailure(error: unknown): error is Failure {
  return typeof error === "object" && error !== null && "requestId" in error && "retryable" in error;
}
