/** The title of a step, and a sentence on its purpose. */
export function StepHeading({ title, text }: { title: string; text: string }) {
  return (
    <div className="mb-6">
      <h1 className="text-xl font-semibold tracking-tight">{title}</h1>
      <p className="mt-1 text-sm text-ink-2">{text}</p>
    </div>
  );
}
