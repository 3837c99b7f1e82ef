/* Boxes over a picture: drawn, dragged and resized with mouse or finger, or typed as numbers; both show the same. */
import { announce } from "../site/announce";
import { plural } from "../site/words";

type Side = "x" | "y" | "width" | "height";
type Box = Record<Side, number>;
type Drag = { row: HTMLElement; kind: "draw" | "move" | "size"; from: DOMPoint; was: Box };

const sides: readonly Side[] = ["x", "y", "width", "height"];
const svg = "http://www.w3.org/2000/svg";

class Redaction {
  private readonly canvas: SVGSVGElement;
  private readonly boxes: SVGGElement;
  private readonly rows: HTMLElement;
  private readonly width: number;
  private readonly height: number;
  private readonly drawn = new Map<HTMLElement, { area: SVGRectElement; handle: SVGRectElement }>();
  private drag: Drag | null = null;

  constructor(private readonly page: HTMLElement) {
    this.canvas = page.querySelector<SVGSVGElement>("[data-canvas]")!;
    this.boxes = page.querySelector<SVGGElement>("[data-boxes]")!;
    this.rows = page.querySelector<HTMLElement>("[data-rows]")!;
    this.width = Number(page.dataset["width"]);
    this.height = Number(page.dataset["height"]);
    for (const spare of this.rows.querySelectorAll("[data-spare]")) spare.remove();
    this.rows.addEventListener("input", () => this.show());
    this.rows.addEventListener("focusin", () => this.show());
    this.rows.addEventListener("click", (event) => {
      const row = (event.target as Element).closest("[data-remove]")?.closest<HTMLElement>("[data-box]");
      if (row) this.remove(row);
    });
    page.querySelector("[data-add]")?.addEventListener("click", () => this.addByKeyboard());
    this.canvas.addEventListener("pointerdown", (event) => this.begin(event));
    this.canvas.addEventListener("pointermove", (event) => this.go(event));
    for (const end of ["pointerup", "pointercancel"] as const) this.canvas.addEventListener(end, () => this.end());
    this.show();
  }

  private all(): HTMLElement[] {
    return [...this.rows.querySelectorAll<HTMLElement>("[data-box]")];
  }

  private field(row: HTMLElement, side: Side): HTMLInputElement {
    return row.querySelector<HTMLInputElement>(`[name=${side}]`)!;
  }

  private read(row: HTMLElement): Box {
    const value = (side: Side): number => Math.round(this.field(row, side).valueAsNumber) || 0;
    return { x: value("x"), y: value("y"), width: value("width"), height: value("height") };
  }

  private write(row: HTMLElement, box: Box): void {
    for (const side of sides) this.field(row, side).value = String(box[side]);
  }

  private add(box: Box): HTMLElement {
    const template = this.page.querySelector<HTMLTemplateElement>("[data-row]")!;
    this.rows.append(template.content.cloneNode(true));
    const row = this.all().at(-1)!;
    this.write(row, box);
    return row;
  }

  /** In the middle, a fifth of the picture: from there the numbers lead it on. */
  private addByKeyboard(): void {
    const width = Math.max(1, Math.round(this.width / 5));
    const height = Math.max(1, Math.round(this.height / 5));
    const row = this.add({ x: 2 * width, y: 2 * height, width, height });
    this.show();
    this.field(row, "x").focus();
  }

  private remove(row: HTMLElement): void {
    const next = (row.nextElementSibling ?? row.previousElementSibling)?.querySelector<HTMLElement>("[data-remove]");
    row.remove();
    this.show();
    (next ?? this.page.querySelector<HTMLElement>("[data-add]"))?.focus();
    announce("Box removed");
  }

  /** Draw every row as a box over the picture. */
  private show(): void {
    const rows = this.all();
    for (const [row, parts] of this.drawn) {
      if (rows.includes(row)) continue;
      parts.area.remove();
      parts.handle.remove();
      this.drawn.delete(row);
    }
    rows.forEach((row, at) => {
      row.setAttribute("aria-label", `Box ${at + 1}`);
      this.place(row);
    });
    const action = this.page.querySelector("[data-action]");
    if (action) action.textContent = rows.length ? `Black out ${plural(rows.length, "area", "areas")}` : "Black out these areas";
  }

  private place(row: HTMLElement): void {
    let parts = this.drawn.get(row);
    if (!parts) {
      const area = document.createElementNS(svg, "rect");
      const handle = document.createElementNS(svg, "rect");
      area.classList.add("redact-box");
      handle.classList.add("redact-handle");
      this.boxes.append(area, handle);
      parts = { area, handle };
      this.drawn.set(row, parts);
    }
    const box = this.read(row);
    const grip = Math.max(4, this.scale() * 14);
    for (const side of sides) parts.area.setAttribute(side, String(Math.max(0, box[side])));
    parts.area.toggleAttribute("data-chosen", row.contains(document.activeElement));
    parts.handle.setAttribute("x", String(box.x + box.width - grip));
    parts.handle.setAttribute("y", String(box.y + box.height - grip));
    parts.handle.setAttribute("width", String(grip));
    parts.handle.setAttribute("height", String(grip));
  }

  /** Pixels of the picture for one of the screen. */
  private scale(): number {
    return 1 / (this.canvas.getScreenCTM()?.a || 1);
  }

  private point(event: PointerEvent): DOMPoint {
    return new DOMPoint(event.clientX, event.clientY).matrixTransform(this.canvas.getScreenCTM()!.inverse());
  }

  private begin(event: PointerEvent): void {
    if (event.button !== 0) return;
    event.preventDefault();
    const from = this.point(event);
    const hit = [...this.drawn].find(([, parts]) => parts.area === event.target || parts.handle === event.target);
    if (hit) {
      const [row, parts] = hit;
      this.drag = { row, kind: parts.handle === event.target ? "size" : "move", from, was: this.read(row) };
    } else {
      const was = { x: this.clamp(from.x, this.width), y: this.clamp(from.y, this.height), width: 0, height: 0 };
      this.drag = { row: this.add(was), kind: "draw", from, was };
    }
    this.canvas.setPointerCapture(event.pointerId);
  }

  private clamp(value: number, most: number): number {
    return Math.round(Math.min(Math.max(value, 0), most));
  }

  private go(event: PointerEvent): void {
    if (!this.drag) return;
    const { row, kind, from, was } = this.drag;
    const to = this.point(event);
    if (kind === "move") {
      const x = this.clamp(was.x + to.x - from.x, this.width - was.width);
      const y = this.clamp(was.y + to.y - from.y, this.height - was.height);
      this.write(row, { ...was, x, y });
    } else {
      const x = this.clamp(to.x, this.width);
      const y = this.clamp(to.y, this.height);
      const [left, top] = kind === "draw" ? [Math.min(was.x, x), Math.min(was.y, y)] : [was.x, was.y];
      const width = kind === "draw" ? Math.abs(x - was.x) : Math.max(1, x - was.x);
      const height = kind === "draw" ? Math.abs(y - was.y) : Math.max(1, y - was.y);
      this.write(row, { x: left, y: top, width, height });
    }
    this.show();
  }

  private end(): void {
    if (!this.drag) return;
    const { row, kind } = this.drag;
    this.drag = null;
    const box = this.read(row);
    // A click is no box.
    if (kind === "draw" && (box.width < 2 || box.height < 2)) row.remove();
    else announce(`Box at ${box.x}, ${box.y}: ${box.width} by ${box.height} pixels`);
    this.show();
  }
}

const page = document.querySelector<HTMLElement>("[data-redact]");
if (page) new Redaction(page);
