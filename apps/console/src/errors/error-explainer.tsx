import { type ErrorCode, errorCatalogue } from "@sluice/core/errors";
import type { RequestDetail } from "@sluice/core/requests";
import { Link } from "@tanstack/react-router";
import type { NameLookup } from "../api/names.ts";
import { serverNow } from "../live/server-clock.ts";
import { useTexts } from "../text/i18n.ts";
import { useExplanation } from "./explanation.ts";
import { factLines } from "./fact-lines.ts";

interface ErrorExplainerProps {
  code: ErrorCode;
  error: RequestDetail["error"];
  names: NameLookup;
}

/** Explains the error of one request with its own figures: why it happened, and what to do. */
export function ErrorExplainer({ code, error, names }: ErrorExplainerProps) {
  const { t, language } = useTexts();
  const { why, fix } = useExplanation()(code);
  const lines = error?.facts ? factLines(error.facts, { t, language, names, nowMs: serverNow() }) : [];
  const told = error && error.message !== errorCatalogue[code].message ? error.message : "";
  return (
    <div className="mt-2 flex flex-col gap-1.5 text-ink-2 [overflow-wrap:anywhere]">
      {lines.length > 0 && (
        <ul className="flex flex-col gap-0.5 text-ink">
          {lines.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
      <p>{why}</p>
      <p>
        <span className="font-medium text-ink">{t("explain.fix")}:</span> {fix}
      </p>
      {told && (
        <p className="text-xs">
          {t("explain.told")}: <q>{told}</q>
        </p>
      )}
      <Link to="/errors" search={{ code }} className="self-start text-xs font-medium text-accent-ink hover:underline">
        {t("explain.all")}
      </Link>
    </div>
  );
}
