/* The tiles of the list: which one is shown large, what was said of each, which are chosen; more come as one nears the end. */

const nearTheEnd = 20;

export class Strip {
  private loading: Promise<void> | null = null;
  current: HTMLElement;

  constructor(
    private readonly list: HTMLElement,
    private readonly grown: () => void,
  ) {
    const shown = list.querySelector("[aria-current]")?.closest<HTMLElement>("[data-accession]");
    this.current = shown ?? this.tiles()[0]!;
  }

  tiles(): HTMLElement[] {
    return [...this.list.querySelectorAll<HTMLElement>("[data-accession]")];
  }

  find(accession: string): HTMLElement | null {
    return this.list.querySelector<HTMLElement>(`[data-accession="${CSS.escape(accession)}"]`);
  }

  chosen(): HTMLElement[] {
    return this.tiles().filter((tile) => this.box(tile).checked);
  }

  choose(tile: HTMLElement, chosen: boolean): void {
    this.box(tile).checked = chosen;
  }

  box(tile: HTMLElement): HTMLInputElement {
    return tile.querySelector<HTMLInputElement>("input[type=checkbox]")!;
  }

  show(tile: HTMLElement): void {
    this.current.querySelector("a")?.removeAttribute("aria-current");
    this.current = tile;
    tile.querySelector("a")?.setAttribute("aria-current", "true");
    tile.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.growIfNear();
  }

  /** What was decided just now, or nothing; `trouble` where the server would not have it. */
  mark(tile: HTMLElement, words: string, state: "decided" | "saved" | "trouble" | ""): void {
    if (state) tile.dataset["decided"] = state;
    else delete tile.dataset["decided"];
    const mark = tile.querySelector<HTMLElement>("[data-mark]");
    if (mark) mark.textContent = words;
  }

  beside(step: number): HTMLElement | null {
    const tiles = this.tiles();
    return tiles[tiles.indexOf(this.current) + step] ?? null;
  }

  /** The next that nobody has decided here, behind the present one; else the first before it. */
  nextOpen(): HTMLElement | null {
    const tiles = this.tiles();
    const at = tiles.indexOf(this.current);
    const isOpen = (tile: HTMLElement): boolean => tile.dataset["decided"] === undefined;
    return tiles.slice(at + 1).find(isOpen) ?? tiles.slice(0, at).find(isOpen) ?? null;
  }

  /** The present one where it is open, else the next that is. */
  nextOpenFrom(): HTMLElement | null {
    return this.current.dataset["decided"] === undefined ? this.current : this.nextOpen();
  }

  following(number: number): HTMLElement[] {
    const tiles = this.tiles();
    const at = tiles.indexOf(this.current);
    return tiles.slice(at + 1, at + 1 + number);
  }

  /** Fetch the next stretch of the list where there is one. */
  async grow(): Promise<void> {
    const more = this.list.querySelector<HTMLElement>("[data-next]");
    if (!more) return;
    this.loading ??= this.fetchMore(more).finally(() => {
      this.loading = null;
    });
    await this.loading;
  }

  private growIfNear(): void {
    const tiles = this.tiles();
    if (tiles.length - tiles.indexOf(this.current) <= nearTheEnd) void this.grow();
  }

  private async fetchMore(more: HTMLElement): Promise<void> {
    try {
      const answer = await fetch(`${more.dataset["next"]}&part=tiles`, { redirect: "error" });
      if (!answer.ok) return;
      const part = document.createElement("template");
      part.innerHTML = await answer.text();
      more.replaceWith(part.content);
      this.grown();
    } catch {
      // The link "More" stays, and the next step tries again.
    }
  }
}
