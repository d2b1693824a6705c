import type { ProviderLine } from "../../providers/provider.ts";
import { useTexts } from "../../text/i18n.ts";
import { Confirm } from "../../ui/dialog.tsx";
import type { Difference } from "./batch-change.ts";
import { BatchDialog } from "./batch-dialog.tsx";
import { HistoryDialog } from "./history-dialog.tsx";
import { useImpactText } from "./impact-text.tsx";
import { OrderDialog } from "./order-dialog.tsx";
import { OverrideDialog } from "./override-dialog.tsx";
import { ProviderDialog } from "./provider-dialog.tsx";
import { SimulatorDialog } from "./simulator-dialog.tsx";
import { TestDialog } from "./test-dialog.tsx";

/** The dialog that is open on the page. */
export type OpenDialog =
  | { kind: "new" | "order" | "simulate" }
  | { kind: "edit"; id: string; name: string }
  | { kind: "test" | "override" | "history" | "delete" | "disable"; provider: ProviderLine }
  | { kind: "batch"; providers: readonly ProviderLine[] };

interface ProviderDialogsProps {
  open: OpenDialog | null;
  /** All providers. */
  providers: readonly ProviderLine[];
  busy: boolean;
  onClose(): void;
  onApply(differences: readonly Difference[], done?: string): void;
  onDelete(provider: ProviderLine): void;
  onDisable(provider: ProviderLine): void;
}

export function ProviderDialogs({ open, providers, busy, onClose, onApply, onDelete, onDisable }: ProviderDialogsProps) {
  const { t } = useTexts();
  const asked = open?.kind === "delete" || open?.kind === "disable" ? open : null;
  const impact = useImpactText(asked ? [asked.provider.id] : []);
  switch (open?.kind) {
    case "new":
      return <ProviderDialog id={null} name="" onClose={onClose} />;
    case "edit":
      return <ProviderDialog key={open.id} id={open.id} name={open.name} onClose={onClose} />;
    case "test":
      return <TestDialog provider={open.provider} onClose={onClose} />;
    case "override":
      return <OverrideDialog provider={open.provider} onClose={onClose} />;
    case "history":
      return <HistoryDialog provider={open.provider} onClose={onClose} />;
    case "simulate":
      return <SimulatorDialog providers={providers} onClose={onClose} />;
    case "order":
      return (
        <OrderDialog
          providers={providers}
          busy={busy}
          onApply={(differences) => onApply(differences, t("providers.order.done"))}
          onClose={onClose}
        />
      );
    case "batch":
      return <BatchDialog providers={open.providers} busy={busy} onApply={onApply} onClose={onClose} />;
    case "delete":
    case "disable": {
      const { kind, provider } = open;
      const title = t(kind === "delete" ? "providers.deleteTitle" : "providers.impact.disableTitle", { name: provider.name });
      return (
        // Each question is a dialog of its own with its focus on a harmless button, so that one key press cannot answer two.
        <Confirm
          key={`${kind} ${provider.id}`}
          open
          onOpenChange={(next) => !next && onClose()}
          title={title}
          text={kind === "delete" ? `${t("providers.deleteText")} ${impact}` : impact}
          action={t(kind === "delete" ? "common.delete" : "providers.impact.disable")}
          busy={busy}
          onConfirm={() => (kind === "delete" ? onDelete(provider) : onDisable(provider))}
        />
      );
    }
    default:
      return null;
  }
}
