/* What is known of the image: fetched as a part of a page, that of the next one ahead of time. */

const pause = 60;
const keptPanels = 30;

export class Panel {
  private readonly parts = new Map<string, Promise<string | null>>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private shown = "";

  constructor(private readonly element: HTMLElement) {}

  show(tile: HTMLElement, next: HTMLElement | null): void {
    const url = tile.dataset["panelUrl"] ?? "";
    this.shown = url;
    clearTimeout(this.timer);
    // Who goes through quickly is not waited upon: nothing is asked for what is passed over.
    this.timer = setTimeout(() => void this.fill(url, next), this.parts.has(url) ? 0 : pause);
  }

  /** What was read before the decision is old. */
  forget(tile: HTMLElement): void {
    this.parts.delete(tile.dataset["panelUrl"] ?? "");
  }

  private async fill(url: string, next: HTMLElement | null): Promise<void> {
    const html = await this.part(url);
    if (this.shown !== url) return;
    if (html === null) this.element.textContent = "What is known of this image could not be fetched.";
    else this.element.innerHTML = html;
    if (next) void this.part(next.dataset["panelUrl"] ?? "");
  }

  private part(url: string): Promise<string | null> {
    let part = this.parts.get(url);
    if (!part) {
      part = fetch(url, { redirect: "error" })
        .then((answer) => (answer.ok ? answer.text() : null))
        .catch(() => null);
      void part.then((html) => {
        if (html === null) this.parts.delete(url);
      });
      this.parts.set(url, part);
      const oldest = this.parts.keys().next().value;
      if (this.parts.size > keptPanels && oldest !== undefined) this.parts.delete(oldest);
    }
    return part;
  }
}
