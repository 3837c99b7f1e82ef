/*
 * Choosing images: a bar tells how many. Space on a picture ticks its box; Shift ticks all between two. What is chosen is
 * kept with the page's place in the history, so that whoever looks at one image and comes back has not lost the others.
 */
import { announce } from "../site/announce";

// As many as one request may name.
const MOST = 500;

interface State {
  chosen?: string[];
}

export function startSelection(form: HTMLFormElement): void {
  const words = form.querySelector<HTMLElement>("[data-chosen]");
  if (!words) return;
  const boxes = (): HTMLInputElement[] => [...form.querySelectorAll<HTMLInputElement>(".pick-mark")];
  const before = new Set((history.state as State | null)?.chosen ?? []);
  let last: HTMLInputElement | null = null;

  function recall(): void {
    for (const box of boxes()) if (before.delete(box.value)) box.checked = true;
  }

  function tell(): void {
    const chosen = boxes().filter((box) => box.checked);
    const number = chosen.length;
    // Those of pages that have not come yet are still to be ticked.
    history.replaceState({ ...(history.state as object | null), chosen: [...chosen.map((box) => box.value), ...before] }, "");
    words!.textContent = `${number.toLocaleString("en-GB")} ${number === 1 ? "image is" : "images are"} chosen`;
    form.classList.toggle("is-choosing", number > 0);
    for (const button of form.querySelectorAll<HTMLButtonElement>(".selection-bar button:not([type=reset])")) {
      button.disabled = number > MOST;
    }
    if (number > MOST) announce(`At most ${MOST} images can be chosen one by one. Add all of a search instead.`);
  }

  form.addEventListener("click", (event) => {
    const box = event.target as HTMLInputElement;
    if (!box.matches(".pick-mark")) return;
    if (event.shiftKey && last) {
      const all = boxes();
      const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((one, other) => one - other);
      for (const between of all.slice(from, (to ?? 0) + 1)) between.checked = box.checked;
    }
    last = box;
    tell();
  });
  form.addEventListener("reset", () => {
    before.clear();
    setTimeout(tell);
  });
  form.addEventListener("gallery:grown", () => {
    if (!before.size) return;
    recall();
    tell();
  });
  form.addEventListener("keydown", (event) => {
    const tile = (event.target as Element).closest(".tile");
    if (event.key !== " " || !tile) return;
    event.preventDefault();
    const box = tile.parentElement?.querySelector<HTMLInputElement>(".pick-mark");
    if (!box) return;
    box.checked = !box.checked;
    last = box;
    tell();
  });
  recall();
  tell();
}
