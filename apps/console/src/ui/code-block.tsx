import { CopyButton } from "./copy-button.tsx";

/** A snippet with a copy button. */
export function CodeBlock({ code, what, title }: { code: string; what: string; title?: string }) {
  return (
    <figure className="overflow-hidden rounded-lg border border-line bg-sunken">
      <figcaption className="flex h-9 items-center justify-between border-b border-line pr-1 pl-3 text-xs text-ink-3">
        <span className="truncate font-mono">{title}</span>
        <CopyButton value={code} what={what} labelled />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <pre tabIndex={0} className="overflow-x-auto px-3 py-2.5 font-mono text-xs leading-relaxed text-ink">
        <code>{code}</code>
      </pre>
    </figure>
  );
}
