/* Pictures of a grid fade in when they have come; the person's choice of size is remembered. */

const key = "medtheca.tiles";

function settle(picture: HTMLImageElement): void {
  delete picture.dataset["loading"];
}

function watchPictures(root: ParentNode): void {
  for (const picture of root.querySelectorAll<HTMLImageElement>(".tile > img")) {
    if (picture.complete) continue;
    picture.dataset["loading"] = "";
    picture.addEventListener("load", () => settle(picture), { once: true });
    picture.addEventListener("error", () => settle(picture), { once: true });
  }
}

function applySize(size: string): void {
  for (const grid of document.querySelectorAll<HTMLElement>(".tile-grid[data-sizes]")) grid.dataset["size"] = size;
  for (const button of document.querySelectorAll<HTMLElement>("[data-tile-size]")) {
    button.setAttribute("aria-pressed", String(button.dataset["tileSize"] === size));
  }
}

export function startGrid(): void {
  watchPictures(document);
  document.addEventListener("htmx:afterSwap", (event) => watchPictures(event.target as Element));
  let size = "m";
  try {
    size = localStorage.getItem(key) ?? size;
  } catch {
    // Storage can be forbidden: the middle size then.
  }
  applySize(size);
  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-tile-size]");
    if (!button) return;
    const chosen = button.dataset["tileSize"] ?? "m";
    applySize(chosen);
    try {
      localStorage.setItem(key, chosen);
    } catch {
      // The choice then lasts as long as the page.
    }
  });
}
