/**
 * Elements that have the focus disappear: a button with the dialog or the row that it removed, a menu with the page that it left. The
 * browser then gives the focus to nobody, and the keyboard starts at the top of the page again. This passes it on to what is nearest.
 */

/** Text fields only if there is nothing else: whoever presses a shortcut next would type it. */
const takers =
  "a[href], button:not(:disabled), select:not(:disabled), input:is([type=checkbox], [type=radio]):not(:disabled), [tabindex='0']";

/** Watches the document for its life. */
export function keepFocus(): void {
  /** What has the focus, or had it when it was removed. */
  let last: Element | null = null;
  /** The last of them that belongs to the page rather than to a dialog or menu above it, and what is nearest since its removal. */
  let inPage: Element | null = null;
  let nearest: HTMLElement | null = null;
  let waiting = false;

  /** Dialogs and menus return the focus themselves: first they have their turn. */
  function checkSoon(): void {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(check);
  }

  function check(): void {
    waiting = false;
    // Whoever tabs out of the page, or clicks beside everything, wants the focus elsewhere.
    if (!isGone(last) || document.activeElement !== document.body || !document.hasFocus()) return;
    const target = inPage && !isGone(inPage) ? inPage : nearest?.isConnected ? nearest : mainOf();
    if (target instanceof HTMLElement) target.focus({ preventScroll: true });
  }

  function forget(): void {
    if (document.activeElement === document.body) last = null;
  }

  document.addEventListener("focusin", ({ target }) => {
    if (!(target instanceof Element)) return;
    last = target;
    if (mainOf()?.contains(target)) [inPage, nearest] = [target, null];
  });
  document.addEventListener("focusout", ({ relatedTarget }) => relatedTarget === null && checkSoon());
  document.addEventListener("pointerdown", () => setTimeout(forget), true);
  new MutationObserver((records) => {
    if (inPage && !inPage.isConnected && !nearest) {
      const record = records.find(({ removedNodes }) => Array.from(removedNodes).some((node) => node.contains(inPage)));
      nearest = record ? nearestTo(record) : null;
    }
    if (isGone(last)) checkSoon();
  }).observe(document.body, { childList: true, subtree: true });
}

/** Removed, or disabled, which takes the focus away as well. */
function isGone(element: Element | null): boolean {
  return element !== null && (!element.isConnected || element.matches(":disabled"));
}

function mainOf(): HTMLElement | null {
  return document.getElementById("main");
}

/** What took its place; else a focusable element around it, or the first one of its successor, or the last one of its predecessor. */
function nearestTo({ target, nextSibling, previousSibling }: MutationRecord): HTMLElement | null {
  const here = nextSibling ? nextSibling.previousSibling : previousSibling ? previousSibling.nextSibling : target.firstChild;
  const heir = here === previousSibling ? undefined : within(here)[0];
  const around = target instanceof Element ? target.closest<HTMLElement>("[tabindex]") : null;
  if (target === mainOf()) return around;
  if (heir) return heir;
  return around === mainOf()
    ? (within(nextSibling)[0] ?? within(previousSibling).at(-1) ?? within(previousSibling, "input, textarea").at(-1) ?? around)
    : around;
}

function within(node: Node | null, wanted = takers): HTMLElement[] {
  if (!(node instanceof HTMLElement)) return [];
  const all = [...(node.matches(wanted) ? [node] : []), ...node.querySelectorAll<HTMLElement>(wanted)];
  return all.filter((one) => one.checkVisibility({ visibilityProperty: true }));
}
