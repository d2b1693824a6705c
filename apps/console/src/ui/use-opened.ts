import { useCallback, useState } from "react";

/**
 * A dialog that may be open, with what it was opened for. `close` closes the one that was open when it was made, and none that was opened
 * since: what was saved or asked for may end when its dialog is gone and the next one is filled in.
 */
export function useOpened<T>(): { opened: { for: T } | null; open(what: T): void; close(): void } {
  const [opened, setOpened] = useState<{ for: T } | null>(null);
  const open = useCallback((what: T) => setOpened({ for: what }), []);
  const close = (): void => setOpened((now) => (now === opened ? null : now));
  return { opened, open, close };
}
