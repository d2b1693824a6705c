import { useMutation } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { api, client } from "../api/client.ts";
import type { SignedIn } from "../api/current-login.ts";
import { useTexts } from "../text/i18n.ts";
import { Confirm } from "../ui/dialog.tsx";
import { toastDone } from "../ui/toast.tsx";
import { useOpened } from "../ui/use-opened.ts";
import { useToastFailure } from "../ui/use-toast-failure.ts";
import type { Key } from "./key.ts";
import type { KeyAct } from "./key-controls.tsx";
import { type MadeSecret, SecretDialog } from "./secret-dialog.tsx";

// Forms and their validation are loaded when they are first opened. The secret's dialog is loaded with the page: a secret is shown only
// once, and a connection that broke before the dialog is loaded would lose it.
const KeyDetail = lazy(() => import("./key-detail.tsx").then(({ KeyDetail: one }) => ({ default: one })));
const KeyDialog = lazy(() => import("./key-dialog.tsx").then(({ KeyDialog: one }) => ({ default: one })));
const RotateDialog = lazy(() => import("./rotate-dialog.tsx").then(({ RotateDialog: one }) => ({ default: one })));

/** Creates a key for `owner`; null = to be chosen in the form. */
type Making = { owner: { id: string; name: string } | null };
type Opened =
  | { dialog: "open" | "edit" | "rotate" | "revoke"; key: Key }
  | ({ dialog: "new" } & Making)
  | { dialog: "secret"; made: MadeSecret };

/** Everything a page can do with keys: the actions of its rows, and the dialogs they open. */
export function useKeyDialogs(login: SignedIn) {
  const { t } = useTexts();
  const { opened: now, open, close } = useOpened<Opened>();
  const opened = now?.for;
  const onError = useToastFailure();
  const revoke = useMutation({
    mutationFn: ({ id }: Key) => client.keys.revoke.mutate({ id }),
    onSuccess: (_, { name }) => toastDone(t("keys.revokedToast", { name })),
    onError,
  });
  const update = useMutation(api.keys.update.mutationOptions({ onError }));
  // The callbacks are part of the mutation: callbacks passed to `mutate` run only for the latest of concurrent calls.
  const enable = useMutation({
    mutationFn: ({ key: { id }, enabled }: { key: Key; enabled: boolean }) => client.keys.update.mutate({ id, enabled }),
    onSuccess: (_, { key: { id, name }, enabled }) =>
      toastDone(t(enabled ? "keys.enabledToast" : "keys.disabledToast", { name }), {
        label: t("common.undo"),
        run: () => update.mutate({ id, enabled: !enabled }),
      }),
    onError,
  });
  const endOverlap = useMutation({
    mutationFn: ({ id }: Key) => client.keys.update.mutate({ id, endPrevious: true }),
    onSuccess: (_, { name }) => toastDone(t("keys.endedToast", { name })),
    onError,
  });

  function onAct(act: KeyAct): void {
    const { key } = act;
    if (act.act === "enable") enable.mutate({ key, enabled: act.enabled });
    else if (act.act === "endOverlap") endOverlap.mutate(key);
    else open({ dialog: act.act, key });
  }

  const show = (made: MadeSecret): void => open({ dialog: "secret", made });
  const admin = login.user.role === "admin";
  const dialogs = (
    <Suspense>
      {opened?.dialog === "open" && <KeyDetail row={opened.key} baseUrl={login.baseUrl} onClose={close} />}
      {(opened?.dialog === "edit" || opened?.dialog === "new") && (
        <KeyDialog
          keyRow={opened.dialog === "edit" ? opened.key : null}
          owner={opened.dialog === "new" ? opened.owner : null}
          me={login.user}
          admin={admin}
          onClose={close}
          onCreated={show}
        />
      )}
      {opened?.dialog === "rotate" && <RotateDialog row={opened.key} onClose={close} onMade={show} />}
      {opened?.dialog === "secret" && <SecretDialog made={opened.made} baseUrl={login.baseUrl} onClose={close} />}
      <Confirm
        open={opened?.dialog === "revoke"}
        onOpenChange={(stays) => !stays && close()}
        title={t("keys.revokeTitle", { name: opened?.dialog === "revoke" ? opened.key.name : "" })}
        text={t("keys.revokeText")}
        action={t("keys.revoke")}
        busy={revoke.isPending}
        onConfirm={() => opened?.dialog === "revoke" && revoke.mutate(opened.key, { onSuccess: close })}
      />
    </Suspense>
  );
  return { onAct, makeFor: (owner: Making["owner"]) => open({ dialog: "new", owner }), dialogs };
}
