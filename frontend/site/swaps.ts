/*
 * Parts of a page that HTMX puts in its place: where the focus goes, what is said aloud, and what an answer means that
 * is not the part. Without scripts the same links and forms load whole pages.
 *
 * In the new part: `data-focus` (takes the focus when what had it is gone), `data-error-summary` (takes it always),
 * `data-say` (said to screen readers), `data-keep-scroll` with an id (scrolls on from where it was).
 */
import { announce } from "./announce";

interface Swap {
  xhr: XMLHttpRequest;
  target: Element;
  shouldSwap: boolean;
  isError: boolean;
  selectOverride?: string;
  swapOverride?: string;
  requestConfig: { triggeringEvent?: Event };
}

const scrolled = new Map<string, number>();
let said = "";

function judge(event: Event): void {
  const swap = (event as CustomEvent<Swap>).detail;
  for (const box of document.querySelectorAll<HTMLElement>("[data-keep-scroll]")) scrolled.set(box.id, box.scrollTop);
  if (swap.xhr.status === 204) return;
  if (swap.xhr.responseText.includes(`id="${swap.target.id}"`)) {
    // A form that is refused comes back with what was typed, and says why.
    if (swap.xhr.status === 400) {
      swap.shouldSwap = true;
      swap.isError = false;
    }
    return;
  }
  swap.shouldSwap = false;
  // Somewhere else was led to: a log-in, or a page of another kind.
  if (swap.xhr.status < 400) location.assign(swap.xhr.responseURL);
  // What asks by itself asks again; a person is shown the page of the error.
  else if (swap.requestConfig.triggeringEvent) {
    swap.shouldSwap = true;
    swap.target = document.getElementById("content") ?? swap.target;
    swap.selectOverride = "#content";
    swap.swapOverride = "outerHTML";
  }
}

function settle(event: Event): void {
  // The new element has the id of the old one, which HTMX may still name as the target.
  const old = (event as CustomEvent<{ target?: Element }>).detail.target ?? (event.target as Element);
  const part = document.getElementById(old.id);
  if (!part) return;
  for (const box of part.querySelectorAll<HTMLElement>("[data-keep-scroll]")) box.scrollTop = scrolled.get(box.id) ?? 0;
  const summary = part.querySelector<HTMLElement>("[data-error-summary]");
  const lost = !document.activeElement || document.activeElement === document.body;
  (summary ?? (lost ? part.querySelector<HTMLElement>("[data-focus]") : null))?.focus();
  const words = (part.querySelector("[data-say]")?.textContent ?? "").replace(/\s+/g, " ").trim();
  if (words && words !== said) announce(words);
  said = words;
}

export function startSwaps(): void {
  document.addEventListener("htmx:beforeSwap", judge);
  document.addEventListener("htmx:afterSettle", settle);
  document.addEventListener("htmx:sendError", () => announce("The archive cannot be reached. Try again."));
}
