/* Forms: one submission a click, and the summary of errors takes the focus when there is one. */

export function startForms(): void {
  document.querySelector<HTMLElement>("[data-error-summary]")?.focus();

  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset["sent"] !== undefined) {
      event.preventDefault();
      return;
    }
    form.dataset["sent"] = "";
    form.setAttribute("aria-busy", "true");
  });
  // Coming back with the back button shows the page as it was left: let the form be sent again.
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll<HTMLFormElement>("form[data-sent]")) {
      delete form.dataset["sent"];
      form.removeAttribute("aria-busy");
    }
  });
  // A choice that reloads the page at once (sorting); without scripts its button is there.
  document.addEventListener("change", (event) => {
    const field = (event.target as Element).closest<HTMLSelectElement>("[data-submits]");
    field?.form?.requestSubmit();
  });
  // Messages can be put away.
  document.addEventListener("click", (event) => {
    (event.target as Element).closest("[data-dismiss]")?.closest(".notice")?.remove();
  });
}
