import { useEffect, useRef } from "react";

/** The title of a step, and a sentence on its purpose. It takes the focus: the button that led here is gone. */
export function StepHeading({ title, text }: { title: string; text: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <div className="mb-6">
      <h1 ref={heading} tabIndex={-1} className="rounded text-xl font-semibold tracking-tight">
        {title}
      </h1>
      <p className="mt-1 text-sm text-ink-2">{text}</p>
    </div>
  );
}
