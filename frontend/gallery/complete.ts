/*
 * Completion in the query box, an ARIA combobox: arrow keys move, Enter or Tab takes, Escape closes. Enter with nothing
 * marked asks the query.
 */

interface Item {
  text: string;
  label: string;
  detail: string;
  number: number | null;
}

interface Answer {
  start: number;
  items: Item[];
}

const WAIT = 120;

export function startCompletion(form: HTMLFormElement): void {
  const found = form.querySelector<HTMLInputElement>("input[name=q]");
  const address = form.dataset["completes"];
  if (!found || !address) return;
  const field: HTMLInputElement = found;
  const list = document.createElement("ul");
  list.id = "query-completions";
  list.className = "completions";
  list.role = "listbox";
  list.ariaLabel = "Completions";
  list.hidden = true;
  field.closest("label")?.after(list);
  form.classList.add("completes");
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.id);
  field.setAttribute("aria-expanded", "false");

  let items: Item[] = [];
  let start = 0;
  let end = 0;
  // For which text the list is: what was typed since may not be written over.
  let shownFor = "";
  let marked = -1;
  let timer = 0;
  let asked = 0;

  function close(): void {
    clearTimeout(timer);
    asked += 1;
    items = [];
    marked = -1;
    list.hidden = true;
    list.replaceChildren();
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }

  function mark(at: number): void {
    marked = at;
    [...list.children].forEach((option, place) => option.setAttribute("aria-selected", String(place === at)));
    const option = list.children[at];
    if (option) {
      field.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else field.removeAttribute("aria-activedescendant");
  }

  function take(at: number): void {
    const item = items[at];
    if (!item) return;
    if (field.value !== shownFor) {
      plan();
      return;
    }
    const isField = item.text.endsWith(":") && !item.text.includes('"');
    const rest = field.value.slice(end);
    const text = item.text + (isField || /^[\s)]/.test(rest) ? "" : " ");
    field.value = field.value.slice(0, start) + text + rest;
    const caret = start + text.length;
    close();
    field.focus();
    field.setSelectionRange(caret, caret);
    if (isField) plan();
  }

  function show(answer: Answer): void {
    items = answer.items;
    start = answer.start;
    if (!items.length) {
      close();
      return;
    }
    list.replaceChildren(
      ...items.map((item, place) => {
        const option = document.createElement("li");
        option.id = `query-completion-${place}`;
        option.role = "option";
        option.ariaSelected = "false";
        const words = document.createElement("span");
        words.textContent = item.label;
        const detail = document.createElement("span");
        detail.className = "completion-detail";
        detail.textContent = item.detail;
        option.append(words, detail);
        if (item.number !== null) {
          const number = document.createElement("span");
          number.className = "facet-count";
          number.textContent = item.number.toLocaleString("en-GB");
          option.append(number);
        }
        return option;
      }),
    );
    marked = -1;
    list.hidden = false;
    field.setAttribute("aria-expanded", "true");
    field.removeAttribute("aria-activedescendant");
  }

  async function ask(): Promise<void> {
    const mine = ++asked;
    const text = field.value;
    const caret = field.selectionStart ?? text.length;
    const query = new URLSearchParams({ q: text, at: String(caret) });
    try {
      const answer = await fetch(`${address}?${query}`, { credentials: "same-origin" });
      // A later question may have been answered before.
      if (mine !== asked || document.activeElement !== field) return;
      const found = answer.ok ? ((await answer.json()) as Answer) : { start: caret, items: [] };
      if (mine !== asked) return;
      end = caret;
      shownFor = text;
      show(found);
    } catch {
      close(); // Without completion the box is a box.
    }
  }

  function plan(): void {
    clearTimeout(timer);
    timer = setTimeout(() => void ask(), WAIT);
  }

  field.addEventListener("input", () => {
    mark(-1);
    plan();
  });
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const open = !list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!open) {
        if (event.key === "ArrowDown") plan();
        return;
      }
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      const beyond = marked + step;
      mark(beyond < -1 ? items.length - 1 : beyond >= items.length ? -1 : beyond);
    } else if (open && event.key === "Escape") {
      event.preventDefault();
      close();
    } else if (open && marked >= 0 && (event.key === "Enter" || event.key === "Tab")) {
      event.preventDefault();
      take(marked);
    }
  });
  // Before the field loses the focus.
  list.addEventListener("mousedown", (event) => {
    event.preventDefault();
    const option = (event.target as Element).closest("li");
    if (option) take([...list.children].indexOf(option));
  });
}
