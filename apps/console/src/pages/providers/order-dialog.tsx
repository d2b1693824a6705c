import { GripVertical } from "lucide-react";
import { useRef, useState } from "react";
import type { ProviderLine } from "../../providers/provider.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { cn } from "../../ui/class-names.ts";
import { Dialog, DialogBody, DialogFooter } from "../../ui/dialog.tsx";
import type { Difference } from "./batch-change.ts";
import { BatchPreview } from "./batch-preview.tsx";
import { movedPlace, placesOf, prioritiesOf } from "./provider-order.ts";

interface OrderDialogProps {
  providers: readonly ProviderLine[];
  busy: boolean;
  onApply(differences: readonly Difference[]): void;
  onClose(): void;
}

/** Changes the order in which providers are tried, by dragging or by arrow keys; saved as priorities after a preview. */
export function OrderDialog({ providers, busy, onApply, onClose }: OrderDialogProps) {
  const { t } = useTexts();
  const [places, setPlaces] = useState(() => placesOf(providers));
  const [dragged, setDragged] = useState<string | null>(null);
  const [said, setSaid] = useState("");
  const list = useRef<HTMLOListElement>(null);
  const differences = prioritiesOf(places);

  const move = (id: string, to: number): void => {
    const from = places.findIndex(({ provider }) => provider.id === id);
    const next = movedPlace(places, from, to);
    setPlaces(next);
    const n = next.findIndex(({ provider }) => provider.id === id) + 1;
    setSaid(t("providers.order.moved", { name: places[from]?.provider.name ?? "", n, of: next.length }));
    // React keeps the element by its key, but moving it in the document drops its focus.
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>(`[data-handle="${id}"]`)?.focus());
  };
  const join = (at: number, together: boolean): void =>
    setPlaces(places.map((place, index) => (index === at ? { ...place, together } : place)));

  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t("providers.order.title")}
      description={t("providers.order.lead")}
      width="max-w-xl"
    >
      <DialogBody>
        <p role="status" className="sr-only">
          {said}
        </p>
        <ol ref={list} aria-label={t("providers.order.list")} className="flex flex-col">
          {places.map(({ provider, together }, index) => (
            <li
              key={provider.id}
              draggable
              onDragStart={(event) => {
                event.dataTransfer.effectAllowed = "move";
                event.dataTransfer.setData("text/plain", provider.name);
                setDragged(provider.id);
              }}
              onDragEnd={() => setDragged(null)}
              onDragOver={(event) => dragged && event.preventDefault()}
              onDrop={(event) => {
                event.preventDefault();
                if (dragged) move(dragged, index);
                setDragged(null);
              }}
              className={cn(
                "flex min-h-10 items-center gap-2 border border-line bg-surface px-1.5",
                together ? "border-t-0" : "mt-2 rounded-t-lg first:mt-0",
                places[index + 1]?.together ? "" : "rounded-b-lg",
                dragged === provider.id && "opacity-50",
              )}
            >
              <button
                type="button"
                data-handle={provider.id}
                aria-label={t("providers.order.handle", { name: provider.name })}
                onKeyDown={(event) => {
                  if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
                  event.preventDefault();
                  move(provider.id, index + (event.key === "ArrowUp" ? -1 : 1));
                }}
                className="flex size-7 shrink-0 cursor-grab items-center justify-center rounded text-ink-3 hover:bg-hover hover:text-ink"
              >
                <GripVertical aria-hidden="true" className="size-4" />
              </button>
              <span className="min-w-0 flex-1 truncate text-sm font-medium">{provider.name}</span>
              {index > 0 && (
                <label className="flex min-h-6 items-center gap-1.5 text-xs text-ink-2">
                  <input
                    type="checkbox"
                    checked={together}
                    onChange={(event) => join(index, event.target.checked)}
                    aria-label={`${provider.name}: ${t("providers.order.together")}`}
                    className="size-4 accent-(--accent)"
                  />
                  <span className="max-sm:hidden">{t("providers.order.together")}</span>
                </label>
              )}
            </li>
          ))}
        </ol>
        <BatchPreview differences={differences} />
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>{t("common.cancel")}</Button>
        <Button variant="primary" busy={busy} disabled={differences.length === 0} onClick={() => onApply(differences)}>
          {t("providers.order.apply")}
        </Button>
      </DialogFooter>
    </Dialog>
  );
}
