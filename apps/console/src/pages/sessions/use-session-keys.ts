import { isTyping, useKeyDown } from "../../shell/keys.ts";

/** J and K (or the arrow keys, on a row) move between rows, Esc closes the drawer. Enter is handled by the row's own button. */
export function useSessionKeys({ openId, onOpen }: { openId: string | undefined; onOpen(id: string | undefined): void }): void {
  useKeyDown((event) => {
    if (isTyping(event)) return;
    const onRow = event.target instanceof HTMLElement && event.target.closest("[data-session]") !== null;
    if (event.key === "Escape" && openId) {
      onOpen(undefined);
      focusSession(openId);
    } else if (event.key === "j" || event.key === "J" || (event.key === "ArrowDown" && onRow)) move(1, openId, onOpen);
    else if (event.key === "k" || event.key === "K" || (event.key === "ArrowUp" && onRow)) move(-1, openId, onOpen);
    else return;
    event.preventDefault();
  });
}

/** Moves the focus to a row, if it is still there. */
export function focusSession(id: string): void {
  buttonOf(id)?.focus();
}

function buttonOf(id: string): HTMLElement | null {
  return document.querySelector<HTMLElement>(`[data-session="${CSS.escape(id)}"] button`);
}

/** Moves the focus; an open drawer follows. */
function move(by: 1 | -1, openId: string | undefined, onOpen: (id: string) => void): void {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-session]")];
  const current = document.activeElement?.closest<HTMLElement>("[data-session]")?.dataset.session ?? openId;
  const at = rows.findIndex((row) => row.dataset.session === current);
  const id = rows[at < 0 ? 0 : at + by]?.dataset.session;
  if (id === undefined) return;
  if (openId) onOpen(id);
  const button = buttonOf(id);
  button?.focus({ preventScroll: true });
  button?.scrollIntoView({ block: "nearest" });
}
