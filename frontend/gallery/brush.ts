/*
 * A range over a histogram. Drawing across the bars sets both ends and asks; the two sliders move one end each by arrow
 * keys, and Enter asks. The fields below say the same in numbers, and are what is sent.
 */

export function startBrushes(form: HTMLFormElement): void {
  const drawing = form.querySelector<SVGSVGElement>("[data-brush]");
  if (!drawing) return;
  const step = Number(drawing.dataset["step"]);
  const least = Number(drawing.dataset["minimum"]);
  const bars = [...drawing.querySelectorAll<SVGGElement>("[data-start]")];
  const most = least + (bars.length - 1) * step;
  const field = (end: string): HTMLInputElement | null => form.querySelector(`input[name$="_${end}"]`);
  const slider = (end: string): HTMLInputElement | null => form.querySelector(`input[data-end="${end}"]`);

  function show(low: number, high: number): void {
    for (const bar of bars) {
      const start = Number(bar.dataset["start"]);
      bar.toggleAttribute("data-chosen", low <= start && start <= high);
    }
  }

  function set(low: number, high: number): void {
    const [from, to] = [field("from"), field("to")];
    // An end that leaves nothing out is open, so that what is beyond the last bar is found too.
    if (from) from.value = low <= least ? "" : String(low);
    if (to) to.value = high >= most ? "" : String(high);
    const [first, last] = [slider("from"), slider("to")];
    if (first) first.value = String(low);
    if (last) last.value = String(high);
    show(low, high);
  }

  function at(event: PointerEvent): number {
    const box = drawing!.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    return least + Math.min(bars.length - 1, Math.max(0, Math.floor(share * bars.length))) * step;
  }

  let begun: number | null = null;
  drawing.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    begun = at(event);
    drawing.setPointerCapture(event.pointerId);
    set(begun, begun);
    event.preventDefault();
  });
  drawing.addEventListener("pointermove", (event) => {
    if (begun === null) return;
    const now = at(event);
    set(Math.min(begun, now), Math.max(begun, now));
  });
  drawing.addEventListener("pointerup", () => {
    if (begun === null) return;
    begun = null;
    form.requestSubmit();
  });
  drawing.addEventListener("pointercancel", () => {
    begun = null;
  });

  for (const end of ["from", "to"]) {
    const one = slider(end);
    one?.addEventListener("input", () => {
      const [first, last] = [Number(slider("from")?.value), Number(slider("to")?.value)];
      // One end pushes the other before it.
      if (end === "from") set(first, Math.max(first, last));
      else set(Math.min(first, last), last);
    });
    one?.addEventListener("keydown", (event) => {
      if (event.key === "Enter") form.requestSubmit();
    });
    one?.addEventListener("pointerup", () => form.requestSubmit());
  }
}
