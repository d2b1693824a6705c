import { useMutation } from "@tanstack/react-query";
import { Pencil, Send, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, client, type Outputs } from "../../api/client.ts";
import { useTexts } from "../../text/i18n.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Confirm, Dialog, DialogBody, DialogFooter } from "../../ui/dialog.tsx";
import { IconButton } from "../../ui/icon-button.tsx";
import { SecretOnce } from "../../ui/secret-once.tsx";
import { Switch } from "../../ui/switch.tsx";
import { useOpened } from "../../ui/use-opened.ts";
import { useToastFailure } from "../../ui/use-toast-failure.ts";
import { type Channel, channelTarget } from "./alert-words.ts";
import { ChannelDialog } from "./channel-dialog.tsx";
import { ListItem, ListSection } from "./list-section.tsx";

interface Tested {
  name: string;
  result: Outputs["alerts"]["testChannel"];
}

/** The channels that receive alerts. */
export function AlertChannels({ channels }: { channels: readonly Channel[] }) {
  const { t } = useTexts();
  const editing = useOpened<Channel | null>();
  const removing = useOpened<Channel>();
  const [secret, setSecret] = useState<string | null>(null);
  const [tested, setTested] = useState<Tested | null>(null);
  const onError = useToastFailure();
  const change = useMutation(api.alerts.updateChannel.mutationOptions({ onError }));
  const remove = useMutation(api.alerts.deleteChannel.mutationOptions({ onError }));
  const test = useMutation({
    mutationFn: ({ id }: Channel) => client.alerts.testChannel.mutate({ id }),
    onError,
    onSuccess: (result, { name }) => setTested({ name, result }),
  });
  return (
    <ListSection
      id="alert-channels"
      title={t("alerts.channels")}
      hint={t("alerts.channelsHint")}
      add={t("alerts.newChannel")}
      onAdd={() => editing.open(null)}
      none={channels.length === 0 ? t("alerts.noChannels") : null}
    >
      {channels.map((channel) => {
        const { id, kind, name, enabled } = channel;
        return (
          <ListItem
            key={id}
            title={
              <>
                {name}
                <Badge>{t(`alerts.channelKind.${kind}`)}</Badge>
                {!enabled && <span className="font-normal text-ink-3">{t("alerts.off")}</span>}
              </>
            }
            detail={channelTarget(channel)}
          >
            <Switch
              checked={enabled}
              disabled={change.isPending}
              label={t("alerts.channelOn", { name })}
              onChange={(on) => change.mutate({ id, kind, enabled: on })}
            />
            <IconButton
              icon={Send}
              label={t("alerts.test", { name })}
              busy={test.isPending && test.variables.id === id}
              onClick={() => test.mutate(channel)}
            />
            <IconButton icon={Pencil} label={t("alerts.editChannel", { name })} onClick={() => editing.open(channel)} />
            <IconButton icon={Trash2} label={t("alerts.removeChannel", { name })} onClick={() => removing.open(channel)} />
          </ListItem>
        );
      })}
      {editing.opened && <ChannelDialog channel={editing.opened.for} onSecret={setSecret} onClose={editing.close} />}
      {secret !== null && <SigningSecretDialog secret={secret} onClose={() => setSecret(null)} />}
      {tested && <TestDialog tested={tested} onClose={() => setTested(null)} />}
      <Confirm
        open={removing.opened !== null}
        onOpenChange={(open) => !open && removing.close()}
        title={t("alerts.removeChannelTitle", { name: removing.opened?.for.name ?? "" })}
        text={t("alerts.removeChannelText")}
        action={t("alerts.remove")}
        busy={remove.isPending}
        onConfirm={() => removing.opened && remove.mutate({ id: removing.opened.for.id }, { onSuccess: removing.close })}
      />
    </ListSection>
  );
}

/** The only time that the signing secret is shown. */
function SigningSecretDialog({ secret, onClose }: { secret: string; onClose(): void }) {
  const { t } = useTexts();
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t("alerts.secretTitle")}
      description={t("alerts.secretText")}
      dismissible={false}
    >
      <DialogBody>
        <SecretOnce secret={secret} />
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>{t("alerts.stored")}</Button>
      </DialogFooter>
    </Dialog>
  );
}

/** The answer to a test message. */
function TestDialog({ tested: { name, result }, onClose }: { tested: Tested; onClose(): void }) {
  const { t } = useTexts();
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={t("alerts.tested", { name })}>
      <DialogBody>
        <p>
          <Badge tone={result.ok ? "ok" : "bad"}>{t(result.ok ? "alerts.testOk" : "alerts.testFailed")}</Badge>
        </p>
        <dl className="text-sm">
          <dt className="text-xs text-ink-3">{t("alerts.answer")}</dt>
          <dd className="font-mono [overflow-wrap:anywhere]">
            {[result.status, result.answer].filter(Boolean).join(" ") || t("alerts.noAnswer")}
          </dd>
        </dl>
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>{t("common.close")}</Button>
      </DialogFooter>
    </Dialog>
  );
}
