/* `<time data-relative>`: the server's words, kept fresh, with the exact time in the reader's zone on hover. */
import { relativeTime } from "./words";

const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "long" });

function freshen(root: ParentNode): void {
  const now = new Date();
  for (const element of root.querySelectorAll<HTMLTimeElement>("time[data-relative]")) {
    const then = new Date(element.dateTime);
    if (Number.isNaN(then.getTime())) continue;
    const text = relativeTime(then, now);
    if (element.textContent !== text) element.textContent = text;
    element.title = exact.format(then);
  }
}

export function startTimes(): void {
  freshen(document);
  setInterval(() => {
    if (!document.hidden) freshen(document);
  }, 30_000);
  document.addEventListener("visibilitychange", () => freshen(document));
  document.addEventListener("htmx:afterSettle", (event) => freshen(event.target as Element));
}
