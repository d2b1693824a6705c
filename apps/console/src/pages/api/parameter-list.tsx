import type { Parameter, Schema } from "./openapi-document.ts";
import { boundsText, schemaText } from "./schema-text.ts";
import { useApiTexts } from "./use-api-texts.ts";

/** The parameters of an operation: names, types and bounds. */
export function ParameterList({ parameters, schemas }: { parameters: readonly Parameter[]; schemas: Record<string, Schema> }) {
  const texts = useApiTexts();
  if (parameters.length === 0) return <p className="text-sm text-ink-3">{texts.nothing}</p>;
  return (
    <div className="min-w-0">
      <h3 className="mb-1 text-xs font-medium text-ink-3">{texts.parameters}</h3>
      <dl className="flex flex-col">
        {parameters.map(({ name, in: place, required, schema }) => (
          <div
            key={`${place} ${name}`}
            className="grid gap-x-3 border-b border-line py-1.5 last:border-b-0 sm:grid-cols-[minmax(0,13rem)_1fr]"
          >
            <dt className="min-w-0">
              <span className="font-mono text-xs break-all text-ink">{name}</span>
              <span className="ml-2 text-2xs text-ink-3">
                {texts.place[place]}
                {required && <strong className="font-medium text-ink-2"> · {texts.required}</strong>}
              </span>
            </dt>
            <dd className="min-w-0 text-xs break-words text-ink-2">
              <span className="font-mono whitespace-pre-wrap">{schemaText(schema, schemas)}</span>
              <span className="text-ink-3"> {boundsText(schema, texts)}</span>
              {schema.description && <span className="block text-ink-3">{schema.description}</span>}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
