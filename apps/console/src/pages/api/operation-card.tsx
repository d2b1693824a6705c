import { ChevronRight } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import type { System } from "../../ui/snippet-text.ts";
import { exampleCall } from "./example-call.ts";
import type { Operation, Schema } from "./openapi-document.ts";
import { ParameterList } from "./parameter-list.tsx";
import { schemaText } from "./schema-text.ts";
import { useApiTexts } from "./use-api-texts.ts";

/** Colour by method, in addition to the word. */
const tones: Record<string, Tone> = { GET: "accent", POST: "ok", PATCH: "warn", DELETE: "bad" };

interface OperationCardProps {
  operation: Operation;
  schemas: Record<string, Schema>;
  base: string;
  system: System;
  /** The address names it: it starts open and is scrolled into view. */
  named: boolean;
  onOpen(): void;
}

/** One operation: a single line that expands. */
export function OperationCard({ operation, schemas, base, system, named, onOpen }: OperationCardProps) {
  const texts = useApiTexts();
  const [open, setOpen] = useState(named);
  const card = useRef<HTMLLIElement>(null);
  const [namedAtFirst] = useState(named);
  useEffect(() => {
    if (namedAtFirst) card.current?.scrollIntoView({ block: "start" });
  }, [namedAtFirst]);
  const { id, method, path, access, summary } = operation;
  return (
    <li ref={card} className="border-b border-line last:border-b-0">
      <details
        open={open}
        className="group"
        onToggle={({ currentTarget }) => {
          if (currentTarget.open && !open) onOpen();
          setOpen(currentTarget.open);
        }}
      >
        <summary className="flex cursor-pointer list-none flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2 -outline-offset-2 hover:bg-hover md:flex-nowrap [&::-webkit-details-marker]:hidden">
          <ChevronRight aria-hidden="true" className="size-4 shrink-0 text-ink-3 transition-transform group-open:rotate-90" />
          <Badge tone={tones[method] ?? "idle"} className="w-16 justify-center font-mono">
            {method}
          </Badge>
          <span className="min-w-0 font-mono text-xs break-all md:w-64 md:shrink-0">{path.replace("/api/v1", "")}</span>
          <span className="min-w-0 flex-1 text-sm text-ink-2 max-md:order-last max-md:basis-full">{texts.summaries[id] ?? summary}</span>
          <span className="ml-auto text-xs whitespace-nowrap text-ink-3">{texts.access[access]}</span>
        </summary>
        {open && (
          <div className="grid gap-x-6 gap-y-4 border-t border-line bg-ground px-4 py-4 lg:grid-cols-2">
            <ParameterList parameters={operation.parameters} schemas={schemas} />
            <div className="flex min-w-0 flex-col gap-3 max-lg:order-first">
              <CodeBlock title={id} code={exampleCall(operation, base, system)} what={id} />
              <Answer answer={operation.answer} schemas={schemas} />
            </div>
          </div>
        )}
      </details>
    </li>
  );
}

/** The answer's type, collapsed because it is the longest part. */
function Answer({ answer: { status, type, schema }, schemas }: { answer: Operation["answer"]; schemas: Record<string, Schema> }) {
  const { answer } = useApiTexts();
  const head = [answer, status, type].filter(Boolean).join(" · ");
  if (!schema) return <p className="text-xs text-ink-3">{head}</p>;
  return (
    <details className="text-sm">
      <summary className="w-fit cursor-pointer py-1 text-xs text-ink-2">{head}</summary>
      <CodeBlock code={schemaText(schema, schemas)} what={answer} title="TypeScript" />
    </details>
  );
}
