/* Choosing some of many: ticking one means "only those chosen", and asking for all unticks them. */

export function startPicks(): void {
  for (const group of document.querySelectorAll<HTMLElement>("[data-picks]")) {
    const form = group.closest("form");
    if (!form) continue;
    const radio = (value: string): HTMLInputElement | null =>
      form.querySelector<HTMLInputElement>(`input[name="${group.dataset["picks"]}"][value="${value}"]`);
    const boxes = (): NodeListOf<HTMLInputElement> => group.querySelectorAll<HTMLInputElement>("input[type=checkbox]");
    group.addEventListener("change", () => {
      const some = [...boxes()].some((box) => box.checked);
      const wanted = radio(some ? "chosen" : "all");
      if (wanted) wanted.checked = true;
    });
    radio("all")?.addEventListener("change", () => {
      for (const box of boxes()) box.checked = false;
    });
  }
}
