import { Dialog as Base } from "@base-ui/react/dialog";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { CommandEmpty, CommandGroup, CommandInput, CommandItem, CommandList, CommandRoot } from "cmdk";
import { Box, FileSearch, Keyboard, KeyRound, Languages, Moon, Search, Server, User } from "lucide-react";
import { type ReactNode, useState } from "react";
import { api } from "../api/client.ts";
import { useNames } from "../api/names.ts";
import { isLanguage, languages, setLanguage, useTexts } from "../text/i18n.ts";
import { setTheme } from "../theme.ts";
import { type places, placesOf, type Role } from "./navigation.ts";

/** Limit per kind: the list narrows while typing, and nobody reads more. */
const MOST_SHOWN = 200;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

interface PaletteProps {
  role: Role;
  onClose(): void;
  onHelp(): void;
}

/** Goes to any page or object by typing. Uses our own dialog, because cmdk's injects styles, which the CSP forbids. */
export function Palette({ role, onClose, onHelp }: PaletteProps) {
  const { t } = useTexts();
  const [query, setQuery] = useState("");
  return (
    <Base.Root open onOpenChange={(open) => !open && onClose()}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-40 bg-shade" />
        <Base.Popup
          aria-label={t("palette.title")}
          className="fixed top-[12vh] left-1/2 z-50 w-[calc(100vw-2rem)] max-w-xl -translate-x-1/2 overflow-hidden rounded-xl border border-line bg-raised shadow-pop outline-none max-sm:top-4"
        >
          <CommandRoot label={t("palette.title")} filter={matches} loop>
            <div className="flex items-center gap-2.5 border-b border-line px-4">
              <Search aria-hidden="true" className="size-4 shrink-0 text-ink-3" />
              <CommandInput
                value={query}
                onValueChange={setQuery}
                placeholder={t("palette.placeholder")}
                className="h-12 w-full bg-transparent text-base text-ink outline-none placeholder:text-ink-3"
              />
            </div>
            <CommandList label={t("palette.title")} className="max-h-[min(24rem,60dvh)] overflow-y-auto p-1.5">
              <CommandEmpty className="px-3 py-8 text-center text-sm text-ink-2">{t("palette.empty", { query })}</CommandEmpty>
              <Commands role={role} query={query.trim()} onClose={onClose} onHelp={onHelp} />
            </CommandList>
          </CommandRoot>
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

/** Every typed word must occur in a command's words; commands with a word that begins with the first one come first. */
function matches(_id: string, query: string, words: string[] = []): number {
  const text = words.join(" ").toLowerCase();
  const typed = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!typed.every((word) => text.includes(word))) return 0;
  return words.some((word) => word.toLowerCase().startsWith(typed[0] ?? "")) ? 1 : 0.5;
}

function Commands({ role, query, onClose, onHelp }: PaletteProps & { query: string }) {
  const { t } = useTexts();
  const navigate = useNavigate();
  const { list } = useNames();
  const { data: models = [] } = useQuery(api.logs.models.queryOptions());
  const logs = (search: { provider?: string; user?: string; key?: string; model?: string; log?: string }) => () => {
    onClose();
    void navigate({ to: "/logs", search });
  };
  const go = (to: (typeof places)[number]["to"]) => () => {
    onClose();
    void navigate({ to });
  };
  return (
    <>
      {uuid.test(query) && (
        <Group heading={t("palette.request")}>
          <Command id="request" words={[query]} icon={<FileSearch />} onSelect={logs({ log: query.toLowerCase() })}>
            {t("palette.openRequest", { id: query })}
          </Command>
        </Group>
      )}
      <Group heading={t("palette.pages")}>
        {placesOf(role).map(({ to, name, icon: Icon }) => (
          <Command key={to} id={to} words={[t(`nav.${name}`), name]} icon={<Icon />} onSelect={go(to)}>
            {t(`nav.${name}`)}
          </Command>
        ))}
      </Group>
      {query !== "" && (
        <Group heading={t("palette.logsOf")}>
          <Named kind={t("palette.provider")} items={list.providers} icon={<Server />} pick={(provider) => logs({ provider })} />
          <Named kind={t("palette.user")} items={list.users} icon={<User />} pick={(user) => logs({ user })} />
          <Named kind={t("palette.key")} items={list.keys} icon={<KeyRound />} pick={(key) => logs({ key })} />
          <Named
            kind={t("palette.model")}
            items={models.map((model) => ({ id: model, name: model }))}
            icon={<Box />}
            pick={(model) => logs({ model })}
          />
        </Group>
      )}
      <Preferences onClose={onClose} onHelp={onHelp} />
    </>
  );
}

function Preferences({ onClose, onHelp }: Pick<PaletteProps, "onClose" | "onHelp">) {
  const { t } = useTexts();
  const themes = { light: t("account.themeLight"), dark: t("account.themeDark"), system: t("account.themeSystem") };
  const then = (act: () => void) => () => {
    onClose();
    act();
  };
  return (
    <Group heading={t("palette.preferences")}>
      {(["light", "dark", "system"] as const).map((value) => (
        <Command
          key={value}
          id={`theme ${value}`}
          words={[themes[value], value, "theme", t("account.theme")]}
          icon={<Moon />}
          onSelect={then(() => setTheme(value))}
        >
          {t("palette.themeTo", { name: themes[value] })}
        </Command>
      ))}
      {Object.entries(languages).map(([value, name]) => (
        <Command
          key={value}
          id={`language ${value}`}
          words={[name, value, "language", t("account.language")]}
          icon={<Languages />}
          onSelect={then(() => {
            if (isLanguage(value)) void setLanguage(value);
          })}
        >
          {t("palette.languageTo", { name })}
        </Command>
      ))}
      <Command id="help" words={["?", "keyboard", "shortcuts", t("account.help")]} icon={<Keyboard />} onSelect={then(onHelp)}>
        {t("account.help")}
      </Command>
    </Group>
  );
}

function Group({ heading, children }: { heading: string; children: ReactNode }) {
  return (
    <CommandGroup
      heading={heading}
      className="[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-ink-3"
    >
      {children}
    </CommandGroup>
  );
}

interface CommandProps {
  id: string;
  /** The words that it is found by. */
  words: string[];
  icon: ReactNode;
  onSelect(): void;
  children: ReactNode;
}

function Command({ id, words, icon, onSelect, children }: CommandProps) {
  return (
    <CommandItem
      value={id}
      keywords={words}
      onSelect={onSelect}
      className="flex min-h-9 cursor-default items-center gap-2.5 rounded-md px-2.5 py-1 text-sm text-ink select-none data-[selected=true]:bg-selected forced-colors:data-[selected=true]:outline-2 forced-colors:data-[selected=true]:-outline-offset-2 forced-colors:data-[selected=true]:outline-solid [&_svg]:size-4 [&_svg]:shrink-0 [&_svg]:text-ink-3"
    >
      <span aria-hidden="true">{icon}</span>
      {children}
    </CommandItem>
  );
}

interface NamedProps {
  kind: string;
  items: readonly { id: string; name: string }[];
  icon: ReactNode;
  pick(id: string): () => void;
}

function Named({ kind, items, icon, pick }: NamedProps) {
  return items.slice(0, MOST_SHOWN).map(({ id, name }) => (
    <Command key={id} id={`${kind} ${id}`} words={[name, kind]} icon={icon} onSelect={pick(id)}>
      <span className="min-w-0 flex-1 truncate">{name}</span>
      <span className="text-xs text-ink-3">{kind}</span>
    </Command>
  ));
}
