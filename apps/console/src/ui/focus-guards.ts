/**
 * For the ref of a popup that is not modal. The library surrounds it with focusable elements that pass the focus on, and hides them from
 * assistive technology; but focusable elements must not be hidden (axe: aria-hidden-focus). They are empty, so exposing them announces
 * nothing.
 */
export function exposeFocusGuards(popup: HTMLElement | null): void {
  if (!popup) return;
  // Some of them are rendered after the popup.
  requestAnimationFrame(() => {
    for (const guard of document.querySelectorAll("[data-base-ui-focus-guard][aria-hidden]")) guard.removeAttribute("aria-hidden");
  });
}
