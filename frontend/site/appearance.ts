/* The choice of light or dark: the system's unless the person chose. */

export type Appearance = "system" | "light" | "dark";

const key = "medtheca.appearance";

export function storedAppearance(): Appearance {
  try {
    const value = localStorage.getItem(key);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    // Storage can be forbidden; then the system's choice is the only one.
    return "system";
  }
}

export function applyAppearance(appearance: Appearance): void {
  const root = document.documentElement;
  if (appearance === "system") delete root.dataset["theme"];
  else root.dataset["theme"] = `medtheca-${appearance}`;
}

function chooseAppearance(appearance: Appearance): void {
  try {
    if (appearance === "system") localStorage.removeItem(key);
    else localStorage.setItem(key, appearance);
  } catch {
    // The choice then lasts as long as the page.
  }
  applyAppearance(appearance);
}

/** Buttons with `data-appearance="system|light|dark"`, wherever they stand on the page. */
export function startAppearance(): void {
  const show = (chosen: Appearance): void => {
    for (const button of document.querySelectorAll<HTMLElement>("[data-appearance]")) {
      button.setAttribute("aria-pressed", String(button.dataset["appearance"] === chosen));
    }
  };
  show(storedAppearance());
  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-appearance]");
    if (!button) return;
    const chosen = button.dataset["appearance"] as Appearance;
    chooseAppearance(chosen);
    show(chosen);
  });
  // A second tab follows the first.
  addEventListener("storage", (event) => {
    if (event.key !== key) return;
    applyAppearance(storedAppearance());
    show(storedAppearance());
  });
}
