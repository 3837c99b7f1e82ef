/* The large picture: the next ones are loaded ahead, zoom and drag, another image put beside it. */

const keptPictures = 24;

export class Stage {
  private readonly pictures = new Map<string, HTMLImageElement>();
  private readonly figure: HTMLElement;
  private readonly other: HTMLElement;
  private readonly done: HTMLElement;
  private full = "";

  constructor(
    private readonly stage: HTMLElement,
    private readonly zoomButton: HTMLElement | null,
  ) {
    this.figure = stage.querySelector<HTMLElement>("[data-picture]")!;
    this.other = stage.querySelector<HTMLElement>("[data-beside-figure]")!;
    this.done = stage.querySelector<HTMLElement>("[data-done]")!;
    this.startDragging();
    this.figure.addEventListener("dblclick", () => this.zoom());
  }

  show(tile: HTMLElement): void {
    const picture = this.picture(tile);
    picture.alt = `Image ${tile.dataset["label"] ?? ""}`;
    this.full = tile.dataset["full"] ?? "";
    if (this.isZoomed) this.zoom();
    this.figure.replaceChildren(picture);
    this.figure.hidden = false;
    this.done.hidden = true;
    this.clearBeside();
  }

  /** Everything is judged: say so in place of a picture. */
  showDone(): void {
    this.figure.hidden = true;
    this.clearBeside();
    this.done.hidden = false;
  }

  preload(tiles: readonly HTMLElement[]): void {
    for (const tile of tiles) this.picture(tile);
  }

  /** An element kept alive is shown again without asking the server, whatever its answer says of keeping. */
  private picture(tile: HTMLElement): HTMLImageElement {
    const key = tile.dataset["accession"] ?? "";
    let picture = this.pictures.get(key);
    if (!picture) {
      picture = new Image(Number(tile.dataset["width"]), Number(tile.dataset["height"]));
      picture.decoding = "async";
      picture.draggable = false;
      picture.src = tile.dataset["web"] ?? "";
    }
    this.pictures.delete(key);
    this.pictures.set(key, picture);
    for (const old of this.pictures.keys()) {
      if (this.pictures.size <= keptPictures) break;
      this.pictures.delete(old);
    }
    return picture;
  }

  get isZoomed(): boolean {
    return this.stage.dataset["zoomed"] !== undefined;
  }

  /** Fitted, or one pixel of the picture for one of the screen. */
  zoom(): void {
    const zoomed = !this.isZoomed;
    if (zoomed) this.stage.dataset["zoomed"] = "";
    else delete this.stage.dataset["zoomed"];
    this.zoomButton?.setAttribute("aria-pressed", String(zoomed));
    const picture = this.figure.querySelector("img");
    // The web picture may be smaller than the image is.
    if (zoomed && picture && this.full && picture.src !== new URL(this.full, location.href).href) picture.src = this.full;
    if (zoomed) {
      this.stage.scrollLeft = (this.stage.scrollWidth - this.stage.clientWidth) / 2;
      this.stage.scrollTop = (this.stage.scrollHeight - this.stage.clientHeight) / 2;
    }
  }

  /** Put another image beside; the same again, or none, takes it away. */
  putBeside(url: string, label: string): void {
    const picture = this.other.querySelector("img")!;
    if (!this.other.hidden && picture.getAttribute("src") === url) {
      this.clearBeside();
      return;
    }
    picture.src = url;
    picture.alt = `Image ${label}`;
    this.other.querySelector("figcaption")!.textContent = label;
    this.other.hidden = false;
    this.stage.dataset["beside"] = url;
  }

  get beside(): string {
    return this.stage.dataset["beside"] ?? "";
  }

  clearBeside(): void {
    this.other.hidden = true;
    delete this.stage.dataset["beside"];
  }

  private startDragging(): void {
    let from: { x: number; y: number; left: number; top: number } | null = null;
    this.stage.addEventListener("pointerdown", (event) => {
      if (!this.isZoomed || event.pointerType === "touch") return;
      from = { x: event.clientX, y: event.clientY, left: this.stage.scrollLeft, top: this.stage.scrollTop };
      this.stage.setPointerCapture(event.pointerId);
    });
    this.stage.addEventListener("pointermove", (event) => {
      if (!from) return;
      this.stage.scrollLeft = from.left - (event.clientX - from.x);
      this.stage.scrollTop = from.top - (event.clientY - from.y);
    });
    for (const end of ["pointerup", "pointercancel"] as const) this.stage.addEventListener(end, () => (from = null));
  }
}
