/* One polite live region for the whole page, for what changes without moving the focus. */

export function announce(words: string): void {
  const region = document.getElementById("announcements");
  if (!region) return;
  // The same words twice are only spoken again when the region was empty in between.
  region.textContent = "";
  setTimeout(() => {
    region.textContent = words;
  }, 60);
}
