import { useMutation } from "@tanstack/react-query";
import { api } from "../../api/client.ts";
import { useTexts } from "../../text/i18n.ts";
import { Confirm } from "../../ui/dialog.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { useToastFailure } from "../../ui/use-toast-failure.ts";

/** Asks before the requests of a session are aborted, because that cannot be undone. */
export function TerminateDialog({ id, inFlight, onClose }: { id: string; inFlight: number; onClose(): void }) {
  const { t } = useTexts();
  const toastFailure = useToastFailure();
  const terminate = useMutation(
    api.sessions.terminate.mutationOptions({
      onSuccess: () => {
        toastDone(t("sessions.terminated"));
        onClose();
      },
      onError: toastFailure,
    }),
  );
  return (
    <Confirm
      open
      onOpenChange={(open) => !open && onClose()}
      title={t("sessions.terminateTitle")}
      text={inFlight > 0 ? t("sessions.terminateText", { count: inFlight }) : t("sessions.terminateIdle")}
      action={t("sessions.terminate")}
      busy={terminate.isPending}
      onConfirm={() => terminate.mutate({ id })}
    />
  );
}
