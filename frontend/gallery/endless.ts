/*
 * The next images come when the end of the page is near, up to a number of pages; then the link leads on, so that a page
 * never grows without bound and its foot can be reached. Whoever comes back finds as many pages, at the same place.
 */
import { announce } from "../site/announce";

const MOST_PAGES = 20;

interface Kept {
  pages: number;
  top: number;
}

function kept(): Kept | null {
  const state = history.state as { gallery?: Kept } | null;
  return state?.gallery ?? null;
}

export function startEndless(form: HTMLFormElement): void {
  let pages = 1;
  let busy = false;
  const next = (): HTMLAnchorElement | null => form.querySelector<HTMLAnchorElement>("a[rel=next]");

  function keep(): void {
    const gallery = { pages, top: Math.round(scrollY) };
    history.replaceState({ ...(history.state as object | null), gallery }, "");
  }

  /** Whether there was another page. */
  async function grow(): Promise<boolean> {
    const link = next();
    const grid = form.querySelector(".tile-grid");
    if (!link || !grid || busy || pages >= MOST_PAGES) return false;
    busy = true;
    try {
      const address = new URL(link.href);
      address.searchParams.set("part", "tiles");
      const answer = await fetch(address, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      const part = new DOMParser().parseFromString(await answer.text(), "text/html");
      const tiles = [...part.querySelectorAll(".tile-grid > li")];
      if (!tiles.length) throw new Error("no tiles");
      grid.append(...tiles.map((tile) => document.importNode(tile, true)));
      // The way back begins where this page did; only the way on is new.
      const onwards = part.querySelector("a[rel=next]");
      if (onwards) link.replaceWith(document.importNode(onwards, true));
      else link.remove();
      pages += 1;
      form.dispatchEvent(new Event("gallery:grown", { bubbles: true }));
      return true;
    } catch {
      announce("More images could not be loaded. Follow the link at the end of the page.");
      watcher.disconnect();
      return false;
    } finally {
      busy = false;
    }
  }

  const watcher = new IntersectionObserver(
    async (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      const link = next();
      if (link) watcher.unobserve(link);
      if (await grow()) {
        announce("More images were loaded.");
        keep();
        watch();
      }
    },
    { rootMargin: "800px" },
  );

  function watch(): void {
    const link = next();
    if (link && pages < MOST_PAGES) watcher.observe(link);
  }

  async function comeBack(): Promise<void> {
    const before = kept();
    if (before && before.pages > 1) {
      history.scrollRestoration = "manual";
      while (pages < before.pages && (await grow()));
      scrollTo(0, before.top);
      history.scrollRestoration = "auto";
    }
    let waiting = 0;
    addEventListener("scroll", () => {
      clearTimeout(waiting);
      waiting = setTimeout(keep, 150);
    });
    addEventListener("pagehide", keep);
    watch();
  }

  void comeBack();
}
