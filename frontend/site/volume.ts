/* The slices of a volume on its page: plane, place, time and window; by slider, wheel and keys. */
import { byId } from "./stage";

const PLAY_MS = 150;
const WHEEL_STEP = 40;
const LONGEST = 1024;

interface View {
  plane: string;
  count: number;
  slice: number; // counted from 0
  time: number;
  window: string;
}

function startVolume(root: HTMLElement): void {
  const canvas = byId<HTMLElement>(root, "volume-canvas");
  const picture = byId<HTMLImageElement>(root, "volume-picture");
  const note = byId<HTMLElement>(root, "volume-note");
  const slider = root.querySelector<HTMLInputElement>("[data-volume-slice]");
  const place = root.querySelector<HTMLOutputElement>("[data-volume-place]");
  const timeSlider = root.querySelector<HTMLInputElement>("[data-volume-time]");
  const moment = root.querySelector<HTMLOutputElement>("[data-volume-moment]");
  const play = root.querySelector<HTMLButtonElement>("[data-volume-play]");
  const windows = root.querySelector<HTMLSelectElement>("[data-volume-window]");
  const planes = [...root.querySelectorAll<HTMLButtonElement>("[data-volume-plane]")];
  const count = Number(slider?.max ?? 1);
  const times = Number(timeSlider?.max ?? 1);
  const view: View = { plane: root.dataset.plane ?? "axial", count, slice: Math.floor(count / 2), time: 0, window: "" };
  let loading: AbortController | null = null;
  let shownUrl = "";
  let timer = 0;

  const address = (): string => {
    const query = new URLSearchParams({ size: String(LONGEST) });
    if (view.time) query.set("time", String(view.time));
    if (view.window) query.set("window", view.window);
    return `${root.dataset.slices}/${view.plane}/${view.slice}.png?${query}`;
  };

  const describe = (): string => {
    const at = view.count > 1 ? ` ${view.slice + 1} of ${view.count}` : "";
    const when = times > 1 ? `, time ${view.time + 1} of ${times}` : "";
    return `${view.plane.charAt(0).toUpperCase()}${view.plane.slice(1)} slice${at}${when}`;
  };

  const say = (words: string): void => {
    note.textContent = words;
    note.hidden = !words;
  };

  async function show(): Promise<void> {
    // The newest wish counts: whoever turns the wheel quickly does not wait for every slice between.
    loading?.abort();
    const mine = (loading = new AbortController());
    try {
      const answer = await fetch(address(), { signal: mine.signal });
      if (!answer.ok) {
        say("This slice cannot be shown.");
        return;
      }
      const url = URL.createObjectURL(await answer.blob());
      if (mine.signal.aborted) {
        URL.revokeObjectURL(url);
        return;
      }
      picture.src = url;
      picture.alt = describe();
      await picture.decode();
      if (shownUrl) URL.revokeObjectURL(shownUrl);
      shownUrl = url;
      root.dataset.shown = `${view.plane}/${view.slice}/${view.time}`;
      say(answer.headers.get("medtheca-resolution") === "reduced" ? "Shown at reduced resolution" : "");
    } catch {
      if (!mine.signal.aborted) say("This slice cannot be shown.");
    }
  }

  const update = (): void => {
    if (slider && place) {
      slider.max = String(view.count);
      slider.value = String(view.slice + 1);
      place.textContent = `${view.slice + 1} of ${view.count}`;
      slider.setAttribute("aria-valuetext", describe());
    }
    if (timeSlider && moment) {
      timeSlider.value = String(view.time + 1);
      moment.textContent = `${view.time + 1} of ${times}`;
    }
    for (const button of planes) button.setAttribute("aria-pressed", String(button.dataset.volumePlane === view.plane));
    void show();
  };

  const goTo = (slice: number): void => {
    const wanted = Math.min(Math.max(slice, 0), view.count - 1);
    if (wanted === view.slice) return;
    view.slice = wanted;
    update();
  };

  const stop = (): void => {
    clearInterval(timer);
    timer = 0;
    play?.setAttribute("aria-pressed", "false");
  };

  slider?.addEventListener("input", () => goTo(Number(slider.value) - 1));
  timeSlider?.addEventListener("input", () => {
    stop();
    view.time = Number(timeSlider.value) - 1;
    update();
  });
  windows?.addEventListener("change", () => {
    view.window = windows.value;
    update();
  });
  for (const button of planes) {
    button.addEventListener("click", () => {
      view.plane = button.dataset.volumePlane ?? view.plane;
      view.count = Number(button.dataset.count);
      view.slice = Math.floor(view.count / 2);
      update();
    });
  }
  play?.addEventListener("click", () => {
    if (timer) {
      stop();
      return;
    }
    play.setAttribute("aria-pressed", "true");
    timer = setInterval(() => {
      view.time = (view.time + 1) % times;
      update();
    }, PLAY_MS);
  });

  if (view.count > 1 || planes.length) {
    let turned = 0;
    canvas.addEventListener(
      "wheel",
      (event) => {
        if (event.ctrlKey) return;
        event.preventDefault();
        turned += event.deltaMode ? event.deltaY * WHEEL_STEP : event.deltaY;
        const steps = Math.trunc(turned / WHEEL_STEP);
        turned -= steps * WHEEL_STEP;
        if (steps) goTo(view.slice + steps);
      },
      { passive: false },
    );
    canvas.tabIndex = 0;
    canvas.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const step: Record<string, number> = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10 };
      const to = event.key === "Home" ? 0 : event.key === "End" ? view.count - 1 : view.slice + (step[event.key] ?? NaN);
      if (Number.isNaN(to)) return;
      event.preventDefault();
      goTo(to);
    });
  }
  update();
}

for (const root of document.querySelectorAll<HTMLElement>("[data-volume]")) startVolume(root);
