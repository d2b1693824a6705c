import { ExternalLink } from "lucide-react";
import { useTexts } from "../text/i18n.ts";
import { buttonClass } from "./button.tsx";
import { CodeBlock } from "./code-block.tsx";
import { type Client, clientBaseUrl, clients, snippetsOf } from "./snippet-text.ts";
import { SystemSelect, useSystem } from "./system-select.tsx";
import { Tabs } from "./tabs.tsx";

interface SnippetsProps {
  baseUrl: string;
  secret: string;
  /** The first tab. */
  first?: Client;
  /** Model in the curl example. */
  model?: string;
}

/** How to point each client at this gateway, with the actual address and key. */
export function Snippets({ baseUrl, secret, first = "claude", model }: SnippetsProps) {
  const { t } = useTexts();
  const [system, setSystem] = useSystem();
  const texts = snippetsOf(clientBaseUrl(baseUrl, location), secret, { system, ...(model !== undefined && { model }) });
  const order = [first, ...clients.filter((one) => one !== first)];
  return (
    <div className="flex flex-col gap-2">
      <SystemSelect system={system} onSelect={setSystem} />
      <Tabs
        label={t("keys.snippets")}
        tabs={order.map((client) => ({
          value: client,
          label: texts[client].name,
          content: (
            <div className="flex flex-col gap-3">
              {texts[client].blocks.map((block) => (
                <CodeBlock key={block.title} title={block.title} code={block.code} what={texts[client].name} />
              ))}
              {texts[client].importUrl !== undefined && (
                <p className="flex flex-wrap items-center gap-3 text-xs text-ink-3">
                  <a href={texts[client].importUrl} className={buttonClass({ size: "sm" })}>
                    <ExternalLink aria-hidden="true" />
                    {t("keys.importCcSwitch")}
                  </a>
                  {t("keys.importHint")}
                </p>
              )}
            </div>
          ),
        }))}
      />
    </div>
  );
}
