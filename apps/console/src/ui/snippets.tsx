import { useTranslation } from "react-i18next";
import { CodeBlock } from "./code-block.tsx";
import { type Client, clients, snippetsOf } from "./snippet-text.ts";
import { Tabs } from "./tabs.tsx";

interface SnippetsProps {
  baseUrl: string;
  secret: string;
  /** Which tab comes first. */
  first?: Client;
  /** Model named in the curl example. */
  model?: string;
}

/** How to point each client at this gateway, with the real address and key. */
export function Snippets({ baseUrl, secret, first = "claude", model }: SnippetsProps) {
  const { t } = useTranslation();
  const texts = snippetsOf(baseUrl, secret, model);
  const order = [first, ...clients.filter((one) => one !== first)];
  return (
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
          </div>
        ),
      }))}
    />
  );
}
