/**
 * For the ref of a popup that is not modal. The library puts focusable elements around it that hand the focus on, and
 * hides them from assistive technology; what can be focused must not be hidden (axe: aria-hidden-focus). They are empty,
 * so that nothing is said of them.
 */
export function exposeFocusGuards(popup: HTMLElement | null): void {
  if (!popup) return;
  // Some of them are drawn after the popup.
  requestAnimationFrame(() => {
    for (const guard of document.querySelectorAll("[data-base-ui-focus-guard][aria-hidden]")) guard.removeAttribute("aria-hidden");
  });
}
