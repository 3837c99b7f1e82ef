/*
 * Pictures of a grid fade in when they have come; the person's choice of size is remembered. Those with `data-src` are asked
 * for when they are seen, and once the first screen has come, when they are near: a browser's own laziness asks for four
 * screens at once, and the line is full of what nobody looks at.
 */

const key = "medtheca.tiles";

let ahead = false;
const coming = new Set<HTMLImageElement>();

const seen = new IntersectionObserver(beginAll);
const near = new IntersectionObserver(beginAll, { rootMargin: "100%" });

function beginAll(entries: IntersectionObserverEntry[]): void {
  for (const entry of entries) if (entry.isIntersecting) begin(entry.target as HTMLImageElement);
}

function begin(picture: HTMLImageElement): void {
  seen.unobserve(picture);
  near.unobserve(picture);
  const address = picture.dataset["src"];
  if (!address) return;
  delete picture.dataset["src"];
  picture.src = address;
  watch(picture);
}

/** The first screen has come: what is near may come too. */
function lookAhead(): void {
  if (ahead || coming.size) return;
  ahead = true;
  for (const picture of document.querySelectorAll<HTMLImageElement>(".tile > img[data-src]")) near.observe(picture);
}

function settle(picture: HTMLImageElement): void {
  delete picture.dataset["loading"];
  coming.delete(picture);
  lookAhead();
}

/** Words stand in its place, below what is said of it. */
function miss(picture: HTMLImageElement): void {
  picture.dataset["missing"] = "";
  settle(picture);
}

function watch(picture: HTMLImageElement): void {
  if (picture.complete && picture.naturalWidth) return;
  picture.dataset["loading"] = "";
  if (picture.getBoundingClientRect().top < innerHeight) coming.add(picture);
  picture.addEventListener("load", () => settle(picture), { once: true });
  picture.addEventListener("error", () => miss(picture), { once: true });
}

function watchPictures(root: ParentNode): void {
  for (const picture of root.querySelectorAll<HTMLImageElement>(".tile > img")) {
    if (picture.dataset["src"]) (ahead ? near : seen).observe(picture);
    else if (picture.complete && !picture.naturalWidth) miss(picture);
    else watch(picture);
  }
  lookAhead();
}

function applySize(size: string): void {
  for (const grid of document.querySelectorAll<HTMLElement>(".tile-grid[data-sizes]")) grid.dataset["size"] = size;
  for (const button of document.querySelectorAll<HTMLElement>("[data-tile-size]")) {
    button.setAttribute("aria-pressed", String(button.dataset["tileSize"] === size));
  }
}

export function startGrid(): void {
  watchPictures(document);
  document.addEventListener("gallery:grown", (event) => watchPictures(event.target as Element));
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
