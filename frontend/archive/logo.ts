/*
 * The form of an archive's logo: a picture is dropped or chosen, and a square of it is taken by mouse, finger, keyboard or
 * numbers; all show the same. Without this it is a plain form, and the server checks everything again.
 */
import { announce } from "../site/announce";
import { number } from "../site/words";
import { Bounds, type Square } from "./square";

type Drag = { kind: "move" | "stretch"; x: number; y: number; was: Square };

const kinds = ["image/png", "image/jpeg"];
const edges = ["x", "y", "size"] as const;
const arrows: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

class LogoForm {
  private readonly input: HTMLInputElement;
  private readonly zone: HTMLElement;
  private readonly crop: HTMLElement;
  private readonly stage: HTMLElement;
  private readonly picture: HTMLImageElement;
  private readonly frame: HTMLElement;
  private readonly save: HTMLButtonElement;
  private bounds: Bounds | null = null;
  private square: Square = { x: 0, y: 0, size: 0 };
  private drag: Drag | null = null;
  private address = "";

  constructor(private readonly form: HTMLFormElement) {
    this.input = form.querySelector<HTMLInputElement>("input[type=file]")!;
    this.zone = this.part("drop");
    this.crop = this.part("crop");
    this.stage = this.part("stage");
    this.picture = this.part("picture") as HTMLImageElement;
    this.frame = this.part("square");
    this.save = this.part("save") as HTMLButtonElement;
    this.part("drop-words").hidden = false;
    for (const words of form.querySelectorAll<HTMLElement>("[data-plain-words]")) words.hidden = true;
    this.takeDrops();
    this.input.addEventListener("change", () => this.open());
    for (const edge of edges) {
      this.field(edge).addEventListener("input", () => this.read());
      this.field(edge).addEventListener("change", () => this.show());
    }
    this.frame.addEventListener("keydown", (event) => this.key(event));
    this.stage.addEventListener("pointerdown", (event) => this.begin(event));
    this.stage.addEventListener("pointermove", (event) => this.go(event));
    for (const end of ["pointerup", "pointercancel"] as const) this.stage.addEventListener(end, () => this.end());
    // A browser that comes back to this page may still have the file.
    if (this.input.files?.length) this.open();
    // Numbers say nothing without a picture, unless something was wrong with them.
    else this.part("numbers").hidden = !form.querySelector("[data-numbers] .form-error");
  }

  private part(name: string): HTMLElement {
    return this.form.querySelector<HTMLElement>(`[data-${name}]`)!;
  }

  private field(edge: keyof Square): HTMLInputElement {
    return this.form.querySelector<HTMLInputElement>(`[name=${edge}]`)!;
  }

  private takeDrops(): void {
    this.zone.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.zone.dataset["over"] = "";
    });
    this.zone.addEventListener("dragleave", () => delete this.zone.dataset["over"]);
    this.zone.addEventListener("drop", (event) => {
      event.preventDefault();
      delete this.zone.dataset["over"];
      const file = event.dataTransfer?.files[0];
      if (!file) return;
      const chosen = new DataTransfer();
      chosen.items.add(file);
      this.input.files = chosen.files;
      this.open();
    });
  }

  /** Show what was chosen, with the largest square in its middle; or say why it cannot be taken. */
  private open(): void {
    const file = this.input.files?.[0];
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = "";
    this.bounds = null;
    this.crop.hidden = true;
    this.part("numbers").hidden = true;
    this.part("errors").replaceChildren();
    this.input.removeAttribute("aria-invalid");
    for (const edge of edges) this.field(edge).value = "";
    const fault = file ? this.faultOf(file) : "";
    this.refuse(fault);
    if (!file || fault) return;
    const address = URL.createObjectURL(file);
    this.address = address;
    this.picture.onload = () => address === this.address && this.begun();
    this.picture.onerror = () =>
      address === this.address &&
      this.refuse(`${file.name} cannot be opened as a picture. Check that it opens in another program, or choose another.`);
    this.picture.src = address;
  }

  private faultOf(file: File): string {
    const most = Number(this.form.dataset["most"]);
    if (!kinds.includes(file.type)) return `${file.name} is neither a PNG nor a JPEG. Choose one of these.`;
    if (file.size > most)
      return `${file.name} has ${number(file.size)} bytes; ${number(most)} are the most. Save it smaller, or as a JPEG.`;
    return "";
  }

  private begun(): void {
    const { naturalWidth: width, naturalHeight: height } = this.picture;
    const least = Number(this.form.dataset["least"]);
    if (Math.min(width, height) < least) {
      this.refuse(
        `The picture has ${number(width)} by ${number(height)} pixels; ${least} on the shorter side are the least. Choose a larger one.`,
      );
      return;
    }
    this.bounds = new Bounds(width, height, least);
    this.square = this.bounds.middle();
    this.field("size").min = String(least);
    this.field("size").max = String(this.bounds.most);
    this.crop.hidden = false;
    this.part("numbers").hidden = false;
    this.show();
    announce(`The picture has ${number(width)} by ${number(height)} pixels. ${this.told()}`);
  }

  private refuse(words: string): void {
    this.part("fault-words").textContent = words;
    this.part("fault").hidden = words === "";
    this.save.disabled = words !== "";
  }

  private told(): string {
    const { x, y, size } = this.square;
    return `Square at ${number(x)}, ${number(y)} with a side of ${number(size)} pixels`;
  }

  /** What is being typed moves the square; the numbers stay as they are typed until one leaves the field. */
  private read(): void {
    if (!this.bounds) return;
    const said = { ...this.square };
    for (const edge of edges) {
      const value = this.field(edge).valueAsNumber;
      if (Number.isFinite(value)) said[edge] = value;
    }
    this.square = this.bounds.fit(said);
    this.draw();
  }

  private show(): void {
    if (!this.bounds) return;
    this.field("x").max = String(this.bounds.width - this.square.size);
    this.field("y").max = String(this.bounds.height - this.square.size);
    for (const edge of edges) this.field(edge).value = String(this.square[edge]);
    this.draw();
  }

  private draw(): void {
    if (!this.bounds) return;
    const { x, y, size } = this.square;
    const { width, height } = this.bounds;
    this.frame.style.left = `${(100 * x) / width}%`;
    this.frame.style.top = `${(100 * y) / height}%`;
    this.frame.style.width = `${(100 * size) / width}%`;
    this.frame.style.height = `${(100 * size) / height}%`;
    for (const canvas of this.form.querySelectorAll<HTMLCanvasElement>("canvas[data-result]")) {
      const pen = canvas.getContext("2d");
      if (!pen) continue;
      pen.fillStyle = "#fff";
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.imageSmoothingQuality = "high";
      pen.drawImage(this.picture, x, y, size, size, 0, 0, canvas.width, canvas.height);
    }
  }

  private set(square: Square, aloud: boolean): void {
    this.square = square;
    this.show();
    if (aloud) announce(this.told());
  }

  private key(event: KeyboardEvent): void {
    if (!this.bounds || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = Math.max(1, Math.round(this.bounds.most / 200)) * (event.shiftKey ? 10 : 1);
    const arrow = arrows[event.key];
    if (arrow) this.set(this.bounds.move(this.square, arrow[0] * step, arrow[1] * step), true);
    else if (event.key === "+" || event.key === "=") this.set(this.bounds.grow(this.square, 2 * step), true);
    else if (event.key === "-" || event.key === "_") this.set(this.bounds.grow(this.square, -2 * step), true);
    else if (event.key === "Home") this.set(this.bounds.middle(), true);
    else return;
    event.preventDefault();
  }

  /** Where the pointer is, in pixels of the picture. */
  private point(event: PointerEvent): { x: number; y: number } {
    const shown = this.stage.getBoundingClientRect();
    const scale = (this.bounds?.width ?? 0) / (shown.width || 1);
    return { x: (event.clientX - shown.left) * scale, y: (event.clientY - shown.top) * scale };
  }

  private begin(event: PointerEvent): void {
    const target = event.target as Element;
    if (!this.bounds || event.button !== 0 || !this.frame.contains(target)) return;
    event.preventDefault();
    this.frame.focus({ preventScroll: true });
    const kind = target.closest("[data-handle]") ? "stretch" : "move";
    this.drag = { kind, ...this.point(event), was: this.square };
    this.stage.setPointerCapture(event.pointerId);
  }

  private go(event: PointerEvent): void {
    if (!this.drag || !this.bounds) return;
    const { kind, was } = this.drag;
    const to = this.point(event);
    const [right, down] = [to.x - this.drag.x, to.y - this.drag.y];
    const moved =
      kind === "move" ? this.bounds.move(was, right, down) : this.bounds.stretch(was, was.size + Math.max(right, down));
    this.set(moved, false);
  }

  private end(): void {
    if (!this.drag) return;
    this.drag = null;
    announce(this.told());
  }
}

const form = document.querySelector<HTMLFormElement>("form[data-logo]");
if (form) new LogoForm(form);
