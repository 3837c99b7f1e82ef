/* The number at the bell, asked for again while somebody looks at the page. Without scripts it is as old as the page. */
const EVERY = 60_000;

export function startBell(): void {
  const count = document.querySelector<HTMLElement>("[data-bell]");
  if (!count) return;
  let asked = Date.now();
  const timer = window.setInterval(refresh, EVERY);
  document.addEventListener("visibilitychange", () => {
    if (Date.now() - asked >= EVERY) void refresh();
  });

  async function refresh(): Promise<void> {
    if (document.hidden || !count) return;
    asked = Date.now();
    const shown = count.querySelector<HTMLElement>("[data-shown]")?.dataset.shown ?? "";
    try {
      const answer = await fetch(`${count.dataset.bell}?shown=${shown}`, { redirect: "manual" });
      if (answer.status === 200) count.innerHTML = await answer.text();
      // Logged out in another tab: there is nothing to ask for any more.
      else if (answer.status !== 204) window.clearInterval(timer);
    } catch {
      // No connection: the next time, perhaps.
    }
  }
}
