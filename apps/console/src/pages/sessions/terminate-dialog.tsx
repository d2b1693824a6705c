import { useMutation } from "@tanstack/react-query";
import { api } from "../../api/client.ts";
import { readFailure } from "../../api/failure.ts";
import { useTexts } from "../../text/i18n.ts";
import { Confirm } from "../../ui/dialog.tsx";
import { useFailureText } from "../../ui/states.tsx";
import { toastDone, toastFailed } from "../../ui/toast.tsx";

/** Asks before the requests of a session are aborted, because that cannot be undone. */
export function TerminateDialog({ id, inFlight, onClose }: { id: string; inFlight: number; onClose(): void }) {
  const { t } = useTexts();
  const failureText = useFailureText();
  const terminate = useMutation(
    api.sessions.terminate.mutationOptions({
      onSuccess: () => {
        toastDone(t("sessions.terminated"));
        onClose();
      },
      onError: (thrown) => toastFailed(failureText(readFailure(thrown))),
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
