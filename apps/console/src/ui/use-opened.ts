import { useCallback, useState } from "react";

/**
 * A dialog that may be open, with what it was opened for. `close` closes only the dialog that was open when this `close` was created: an
 * action may finish after its dialog is gone and another one is being filled in.
 */
export function useOpened<T>(): { opened: { for: T } | null; open(what: T): void; close(): void } {
  const [opened, setOpened] = useState<{ for: T } | null>(null);
  const open = useCallback((what: T) => setOpened({ for: what }), []);
  const close = (): void => setOpened((now) => (now === opened ? null : now));
  return { opened, open, close };
}
