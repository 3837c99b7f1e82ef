/*
 * Quick-find: Ctrl-K, ⌘K, / or the button in the header open a dialog with an ARIA combobox. Arrow keys move, Enter goes
 * there (with Ctrl or ⌘ in a new tab), Escape closes and gives the focus back. What is asked for again is not waited for.
 */
import { isTyping } from "./keyboard";

const WAIT = 150;
const SHORTEST = 3;

export function startFind(): void {
  const found = document.querySelector<HTMLDialogElement>("dialog[data-find]");
  const form = found?.querySelector("form");
  const input = found?.querySelector("input");
  const listed = found?.querySelector<HTMLElement>("[role=listbox]");
  if (!found || !form || !input || !listed) return;
  const [dialog, field, list] = [found, input, listed];
  const address = form.action;
  const status = dialog.querySelector("[data-find-status]");
  let options: HTMLAnchorElement[] = [];
  let marked = -1;
  let timer = 0;
  let asking: AbortController | null = null;
  // For which text the list is; Enter takes from no list of another text.
  let shownFor = "";

  function say(words: string): void {
    if (status) status.textContent = words;
  }

  function mark(at: number): void {
    marked = at;
    options.forEach((option, place) => option.setAttribute("aria-selected", String(place === at)));
    const option = options[at];
    if (option) {
      field.setAttribute("aria-activedescendant", option.id);
      // The heading of a kind comes into sight with its first row.
      (option.parentElement?.querySelector("a") === option ? option.parentElement : option).scrollIntoView({
        block: "nearest",
      });
    } else field.removeAttribute("aria-activedescendant");
  }

  function show(part: Element | null): void {
    list.replaceChildren(...(part ? [document.importNode(part, true)] : []));
    options = [...list.querySelectorAll<HTMLAnchorElement>("[role=option]")];
    options.forEach((option, place) => {
      option.id = `find-option-${place}`;
    });
    list.hidden = options.length === 0;
    field.setAttribute("aria-expanded", String(options.length > 0));
    mark(options.length ? 0 : -1);
  }

  function stop(): void {
    clearTimeout(timer);
    asking?.abort();
    asking = null;
  }

  async function ask(): Promise<void> {
    stop();
    const text = field.value.trim();
    if (text.length < SHORTEST) {
      shownFor = "";
      say("");
      show(null);
      return;
    }
    const mine = new AbortController();
    asking = mine;
    try {
      const query = new URLSearchParams({ q: text, part: "options" });
      const answer = await fetch(`${address}?${query}`, { credentials: "same-origin", signal: mine.signal });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (asking !== mine) return;
      const part = page.querySelector<HTMLElement>("[data-options]");
      const number = Number(part?.dataset["number"] ?? 0);
      shownFor = text;
      show(part);
      say(number ? `${number} found` : "Nothing of that name. Enter searches the images.");
    } catch {
      if (mine.signal.aborted) return;
      show(null);
      say("The archive did not answer. Enter asks again.");
    }
  }

  function plan(): void {
    stop();
    timer = setTimeout(() => void ask(), WAIT);
  }

  function open(): void {
    if (dialog.open) return;
    dialog.showModal();
    field.focus();
    field.select();
  }

  function go(option: HTMLAnchorElement, apart: boolean): void {
    if (apart) {
      window.open(option.href, "_blank", "noopener");
      return;
    }
    // Whoever comes back finds the page without the dialog.
    dialog.close();
    location.assign(option.href);
  }

  field.addEventListener("input", plan);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!options.length) return;
      const step = event.key === "ArrowDown" ? 1 : -1;
      mark((marked + step + options.length) % options.length);
    } else if (event.key === "Enter") {
      const option = options[marked];
      // Faster than the answer: the page of the same name finds it.
      if (!option || shownFor !== field.value.trim()) return;
      event.preventDefault();
      go(option, event.ctrlKey || event.metaKey);
    }
  });
  list.addEventListener("click", (event) => {
    const option = (event.target as Element).closest<HTMLAnchorElement>("[role=option]");
    if (!option || event.ctrlKey || event.metaKey || event.shiftKey) return;
    dialog.close();
  });
  dialog.addEventListener("close", stop);
  dialog.addEventListener("click", (event) => {
    const outside = event.target === dialog;
    if (outside || (event.target as Element).closest("[data-find-close]")) dialog.close();
  });

  for (const button of document.querySelectorAll<HTMLElement>("[data-find-open]")) {
    button.setAttribute("aria-haspopup", "dialog");
    button.addEventListener("click", (event) => {
      event.preventDefault();
      open();
    });
  }
  if (/Mac|iPhone|iPad/.test(navigator.platform)) {
    for (const keys of document.querySelectorAll("[data-find-keys]")) keys.textContent = "⌘ K";
  }
  document.addEventListener("keydown", (event) => {
    const quick = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k";
    const slash = event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event.target);
    if (!quick && !slash) return;
    event.preventDefault();
    if (quick && dialog.open) dialog.close();
    else open();
  });
}
