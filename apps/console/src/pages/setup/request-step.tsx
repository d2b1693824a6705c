import { FINAL_REV } from "@sluice/core/events";
import type { RequestRow } from "@sluice/core/requests";
import { Link } from "@tanstack/react-router";
import { CircleCheck, CircleX, LoaderCircle } from "lucide-react";
import { useEffect, useState } from "react";
import { client } from "../../api/client.ts";
import { formatCost, formatDuration } from "../../format.ts";
import { covered, listenTo } from "../../live/hub.ts";
import { useTexts } from "../../text/i18n.ts";
import { buttonClass } from "../../ui/button.tsx";
import { cn } from "../../ui/class-names.ts";
import { SecretOnce } from "../../ui/secret-once.tsx";
import { Snippets } from "../../ui/snippets.tsx";
import { StepHeading } from "./step-heading.tsx";

interface RequestStepProps {
  madeKey: { id: string; secret: string };
  baseUrl: string;
  dialect: "anthropic" | "openai" | "gemini";
}

const first = { anthropic: "claude", openai: "openai", gemini: "gemini" } as const;
const models = { anthropic: "claude-sonnet-4-5", openai: "gpt-5-mini", gemini: "gemini-2.5-flash" } as const;

/** Waits for the key's first request on the live stream, and turns green when it arrives. */
export function RequestStep({ madeKey, baseUrl, dialect }: RequestStepProps) {
  const { t } = useTexts();
  const row = useFirstRequest(madeKey.id);
  return (
    <>
      <StepHeading title={t("setup.requestTitle")} text={t("setup.requestText")} />
      <div className="flex flex-col gap-4">
        <SecretOnce secret={madeKey.secret} />
        <Snippets baseUrl={baseUrl} secret={madeKey.secret} first={first[dialect]} model={models[dialect]} />
        <Seen row={row} />
        <Link to="/logs" className={buttonClass({ variant: row ? "primary" : "ghost", size: "lg" }, "self-start")}>
          {row ? t("setup.finish") : t("setup.skip")}
        </Link>
      </div>
    </>
  );
}

function Seen({ row }: { row: RequestRow | null }) {
  const { t } = useTexts();
  const bad = row !== null && (row.state === "error" || row.state === "refused");
  const Icon = row === null ? LoaderCircle : bad ? CircleX : CircleCheck;
  return (
    <div
      className={cn(
        "flex items-center gap-3 rounded-lg border px-4 py-3",
        row === null ? "border-dashed border-line-strong" : bad ? "border-bad/40 bg-bad-soft" : "border-ok/40 bg-ok-soft",
      )}
    >
      <Icon
        aria-hidden="true"
        className={cn("size-5 shrink-0", row === null ? "animate-spin-slow text-ink-3" : bad ? "text-bad" : "text-ok")}
      />
      <div className="min-w-0">
        <p role="status" className="text-sm font-medium">
          {row === null ? t("setup.waiting") : t("setup.seen")}
        </p>
        {row && (
          <p className="truncate text-xs text-ink-2">
            {t("setup.seenText", { model: row.model, state: t(`state.${row.state}`) })}
            {row.durationMs !== null && ` · ${formatDuration(row.durationMs)}`}
            {row.costNanoUsd !== null && ` · ${formatCost(row.costNanoUsd)}`}
            {row.errorCode && ` · ${t(`errors.${row.errorCode}` as "errors.internal")}`}
          </p>
        )}
      </div>
    </div>
  );
}

interface Seen {
  row: RequestRow;
  rev: number;
}

/** The request to show after `next` arrives: the first one, unless it failed and a later one replaces it. */
function follow(old: Seen | null, next: Seen): Seen {
  if (!old || (old.row.id === next.row.id && next.rev > old.rev)) return next;
  const failed = old.row.state === "error" || old.row.state === "refused";
  return failed && next.row.id > old.row.id ? next : old;
}

const topics = ["logs"] as const;

/** The key's request to show: read once, then updated by push. */
function useFirstRequest(keyId: string): RequestRow | null {
  const [seen, setSeen] = useState<Seen | null>(null);
  useEffect(() => {
    let current = true;
    // The stream may open after this page: a request before that is found by reading.
    async function read(): Promise<void> {
      const { items, busId } = await client.logs.list.query({ filter: { keyId }, limit: 1 });
      const [row] = items;
      if (!current) return;
      if (row) setSeen((old) => follow(old, { row, rev: row.state === "in_flight" ? -1 : FINAL_REV }));
      if (!(await covered(busId, topics)) && current) await read();
    }
    // If the read fails, the stream still works.
    read().catch(() => undefined);
    const stop = listenTo(topics, {
      events(events) {
        for (const event of events) {
          if ("rev" in event && event.row.keyId === keyId) setSeen((old) => follow(old, { row: event.row, rev: event.rev }));
        }
      },
    });
    return () => {
      current = false;
      stop();
    };
  }, [keyId]);
  return seen?.row ?? null;
}
