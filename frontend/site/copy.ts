/* Buttons with `data-copy="text"`: copy, show a tick for a moment, say so. */
import { announce } from "./announce";

async function copyText(text: string): Promise<boolean> {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Refused by the browser: try the old way below.
    }
  }
  // Outside a secure context (a plain http address on a local network) there is no clipboard object.
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "sr-only";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}

export function startCopy(): void {
  document.addEventListener("click", async (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-copy]");
    if (!button) return;
    const text = button.dataset["copy"] ?? "";
    const done = await copyText(text);
    announce(done ? `Copied ${text}` : "The browser did not allow copying. Select the text and copy it by hand.");
    if (!done) return;
    const use = button.querySelector("use");
    const before = use?.getAttribute("href");
    if (!use || !before || button.dataset["done"] !== undefined) return;
    button.dataset["done"] = "";
    use.setAttribute("href", before.replace(/#.*$/, "#check"));
    setTimeout(() => {
      delete button.dataset["done"];
      use.setAttribute("href", before);
    }, 1500);
  });
}
