/* The column of filters stays where it was scrolled to when one of them is chosen, which loads the page anew. */

const key = "medtheca.facets";

export function keepFacets(): void {
  const panel = document.getElementById("facets");
  if (!panel) return;
  try {
    panel.scrollTop = Number(sessionStorage.getItem(key) ?? 0);
    sessionStorage.removeItem(key);
  } catch {
    return; // Storage can be forbidden: the column then begins at its top.
  }
  const keep = (): void => sessionStorage.setItem(key, String(panel.scrollTop));
  panel.addEventListener("click", (event) => {
    if ((event.target as Element).closest("a")) keep();
  });
  panel.addEventListener("submit", keep);
}
