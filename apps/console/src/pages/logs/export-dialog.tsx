import { Download } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { type Failure, PlainError } from "../../api/failure.ts";
import type { NameLookup } from "../../api/names.ts";
import { formatExact } from "../../format.ts";
import { serverNow } from "../../live/server-clock.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../ui/dialog.tsx";
import { saveFile } from "../../ui/save-file.ts";
import { useFailureText } from "../../ui/states.tsx";
import { downloadExport, type ExportProgress } from "./export-download.ts";
import { useLogText } from "./log-text.ts";
import { filterOf, isFiltered, type LogSearch } from "./search.ts";

const columns = [
  ..."id started_at state status error_code dialect endpoint stream model upstream_model provider_id provider user_id user".split(" "),
  ..."key_id key group session_id client attempts input_tokens output_tokens cache_write_5m_tokens cache_write_1h_tokens".split(" "),
  ..."cache_read_tokens cost_usd billable flags ttft_ms duration_ms".split(" "),
];
const ofAdmins = new Set(["upstream_model", "provider_id", "provider"]);

type Run =
  | { phase: "idle" }
  | { phase: "running"; progress: ExportProgress }
  | { phase: "done"; rows: number; file: string }
  | { phase: "failed"; rows: number; failure: Failure | null };

interface ExportDialogProps {
  search: LogSearch;
  names: NameLookup;
  admin: boolean;
  onClose(): void;
}

/** Exports everything that matches the filter to a file. */
export function ExportDialog({ search, names, admin, onClose }: ExportDialogProps) {
  const { t } = useTexts();
  const { describe } = useLogText(names);
  const offered = columns.filter((name) => admin || !ofAdmins.has(name));
  const [format, setFormat] = useState<"csv" | "json">("csv");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set(offered));
  const { run, start, stop } = useExport();
  const url = (): string => {
    const params = new URLSearchParams({ filter: JSON.stringify(filterOf(search, serverNow())) });
    if (chosen.size < offered.length) params.set("columns", offered.filter((name) => chosen.has(name)).join(","));
    return `/export/logs.${format}?${params}`;
  };
  const lead = `${t("exporting.lead", { filters: isFiltered(search) ? describe(search) : t("exporting.everything") })} ${t("exporting.newest")}`;
  const running = run.phase === "running";
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={t("exporting.title")} description={lead}>
      <DialogBody>
        <fieldset disabled={running} className="flex items-center gap-5 text-sm">
          <legend className="mb-1 text-sm font-medium">{t("exporting.format")}</legend>
          {(["csv", "json"] as const).map((one) => (
            <label key={one} className="flex min-h-7 items-center gap-2">
              <input type="radio" name="format" className="size-4 accent-accent" checked={format === one} onChange={() => setFormat(one)} />
              {one.toUpperCase()}
            </label>
          ))}
        </fieldset>
        <fieldset disabled={running} className="text-sm">
          <legend className="mb-1 text-sm font-medium">{t("exporting.columns")}</legend>
          <div className="mb-1 flex gap-1">
            <Button variant="ghost" size="sm" onClick={() => setChosen(new Set(offered))}>
              {t("exporting.all")}
            </Button>
            <Button variant="ghost" size="sm" onClick={() => setChosen(new Set())}>
              {t("exporting.none")}
            </Button>
          </div>
          <div className="grid grid-cols-2 gap-x-4">
            {offered.map((name) => (
              <label key={name} className="flex min-h-7 items-center gap-2 font-mono text-xs">
                <input
                  type="checkbox"
                  className="size-4 accent-accent"
                  checked={chosen.has(name)}
                  onChange={({ target }) => setChosen(new Set(offered.filter((one) => (one === name ? target.checked : chosen.has(one)))))}
                />
                {name}
              </label>
            ))}
          </div>
        </fieldset>
      </DialogBody>
      <DialogFooter>
        <Outcome run={run} />
        {running ? (
          <Button onClick={stop}>{t("exporting.cancel")}</Button>
        ) : (
          <Button variant="primary" disabled={chosen.size === 0} onClick={() => start(url())}>
            <Download aria-hidden="true" />
            {t("exporting.start")}
          </Button>
        )}
      </DialogFooter>
    </Dialog>
  );
}

function Outcome({ run }: { run: Run }) {
  const { t, language } = useTexts();
  const failureText = useFailureText();
  const rows = (count: number) => ({ count, rows: formatExact(count, language) });
  let text = "";
  if (run.phase === "running") text = t("exporting.progress", { ...rows(run.progress.rows), size: sizeText(run.progress.bytes, language) });
  if (run.phase === "done") text = t("exporting.done", { ...rows(run.rows), file: run.file });
  if (run.phase === "failed") text = run.failure ? failureText(run.failure) : t("exporting.failed", rows(run.rows));
  return (
    <p role="status" className={run.phase === "failed" ? "mr-auto text-sm text-bad" : "mr-auto text-sm text-ink-2"}>
      {text}
    </p>
  );
}

function sizeText(bytes: number, language: string): string {
  const mega = bytes >= 1_000_000;
  const format = new Intl.NumberFormat(language, {
    style: "unit",
    unit: mega ? "megabyte" : "kilobyte",
    maximumFractionDigits: mega ? 1 : 0,
  });
  return format.format(bytes / (mega ? 1_000_000 : 1_000));
}

/** One export at a time; closing the dialog cancels it. */
function useExport(): { run: Run; start(url: string): void; stop(): void } {
  const [run, setRun] = useState<Run>({ phase: "idle" });
  const abort = useRef<AbortController>(undefined);
  useEffect(() => () => abort.current?.abort(), []);
  const start = (url: string): void => {
    const mine = new AbortController();
    abort.current = mine;
    let rows = 0;
    let shownAt = 0;
    setRun({ phase: "running", progress: { rows: 0, bytes: 0 } });
    const onProgress = (progress: ExportProgress): void => {
      rows = progress.rows;
      if (performance.now() - shownAt < 100) return;
      shownAt = performance.now();
      setRun({ phase: "running", progress });
    };
    downloadExport(url, { signal: mine.signal, onProgress })
      .then(({ blob, name, rows }) => {
        saveFile(blob, name);
        setRun({ phase: "done", rows, file: name });
      })
      .catch((thrown: unknown) => {
        if (mine.signal.aborted) setRun({ phase: "idle" });
        else setRun({ phase: "failed", rows, failure: thrown instanceof PlainError ? thrown.failure : null });
      });
  };
  return { run, start, stop: () => abort.current?.abort() };
}
