import { Search } from "lucide-react";
import { type KeyboardEvent, type RefObject, useId, useState } from "react";
import type { NameLookup } from "../../api/names.ts";
import { useTexts } from "../../text/i18n.ts";
import { cn } from "../../ui/class-names.ts";
import { useLogText } from "./log-text.ts";
import { type Options, type QueryWords, readQuery, type Suggestion, suggestions } from "./query.ts";
import type { Condition } from "./search.ts";

interface QueryFieldProps {
  input: RefObject<HTMLInputElement | null>;
  names: NameLookup;
  options: Options;
  /** Called on focus: values that are not known yet can be read now. */
  onOpen(): void;
  onAdd(conditions: Condition[]): void;
}

/** Filters by typing or choosing: first a field, then a value. A leading minus excludes. */
export function QueryField({ input, names, options, onOpen, onAdd }: QueryFieldProps) {
  const { t } = useTexts();
  const { valueText } = useLogText(names);
  const words: QueryWords = { fieldText: (field) => t(`filter.${field}`), valueText };
  const list = useId();
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const [fault, setFault] = useState("");
  const offered = open ? suggestions(text, options, words) : [];

  const change = (next: string): void => {
    setText(next);
    setActive(-1);
    setFault("");
  };
  const add = (conditions: Condition[]): void => {
    onAdd(conditions);
    change("");
    // The new chips are below the field.
    setOpen(false);
  };
  const pick = ({ pick: picked }: Suggestion): void => {
    if ("text" in picked) {
      change(picked.text);
      input.current?.focus();
    } else add([picked]);
  };
  const submit = (): void => {
    const query = readQuery(text, options, words);
    // Incomplete text with a single suggestion is completed by it.
    const chosen = offered[active] ?? ("fault" in query && offered.length === 1 ? offered[0] : undefined);
    if (chosen) pick(chosen);
    else if ("conditions" in query) add(query.conditions);
    else if (query.fault === "unknown") setFault(t("filter.unknown", { text: query.text }));
    else setFault(t("filter.noSuch", { name: t(`filter.${query.field}`), text: query.text }));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && !open) setOpen(true);
    else if (step !== undefined && offered.length > 0) {
      setActive((at) => (at + step + offered.length + (at < 0 && step < 0 ? 1 : 0)) % offered.length);
    } else if (event.key === "Enter") submit();
    else if (event.key === "Escape" && (text !== "" || open)) {
      change("");
      setOpen(false);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only watches where the focus goes
    <div
      className="relative min-w-40 flex-1"
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) setOpen(false);
      }}
    >
      <Search aria-hidden="true" className="pointer-events-none absolute top-1/2 left-2 size-3.5 -translate-y-1/2 text-ink-3" />
      <input
        ref={input}
        role="combobox"
        aria-label={t("filter.query")}
        aria-expanded={offered.length > 0}
        aria-controls={list}
        aria-autocomplete="list"
        aria-activedescendant={active >= 0 ? `${list}-${active}` : undefined}
        aria-invalid={fault !== "" || undefined}
        aria-describedby={fault ? `${list}-fault` : undefined}
        autoComplete="off"
        spellCheck={false}
        value={text}
        placeholder={t("filter.placeholder")}
        title="/"
        onFocus={() => {
          setOpen(true);
          onOpen();
        }}
        onClick={() => setOpen(true)}
        onChange={(event) => {
          setOpen(true);
          change(event.target.value);
        }}
        onKeyDown={onKeyDown}
        className="h-7 w-full rounded-md border border-line-strong bg-surface pr-2 pl-7 text-xs text-ink -outline-offset-1 placeholder:text-ink-3 hover:border-ink-3 focus-visible:border-accent aria-invalid:border-bad"
      />
      {fault && (
        <p
          id={`${list}-fault`}
          role="alert"
          className="absolute top-full left-0 z-30 mt-1 rounded-md border border-bad/35 bg-bad-soft px-2.5 py-1.5 text-xs"
        >
          {fault}
        </p>
      )}
      <div
        id={list}
        role="listbox"
        aria-label={t("filter.query")}
        className={cn(
          "absolute top-full left-0 z-30 mt-1 max-h-80 w-72 max-w-full overflow-y-auto rounded-lg border border-line bg-raised p-1 shadow-pop",
          (offered.length === 0 || fault !== "") && "hidden",
        )}
      >
        {offered.map((one, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the input has the keys
          <div
            key={`${one.label}:${one.note}`}
            id={`${list}-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === active}
            // The focus stays in the field.
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => pick(one)}
            className={cn(
              "flex min-h-8 cursor-default items-center justify-between gap-3 rounded-md px-2.5 text-sm hover:bg-hover",
              index === active && "bg-hover",
            )}
          >
            <span className="truncate">{one.label}</span>
            <span className="shrink-0 text-xs text-ink-3">{one.note}</span>
          </div>
        ))}
      </div>
    </div>
  );
}
