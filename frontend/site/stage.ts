/* What the stages of an image's page have in common. */

/** The part of a stage that its template must have. */
export function byId<T extends HTMLElement>(root: HTMLElement, name: string): T {
  const found = root.querySelector<T>(`[data-${name}]`);
  if (!found) throw new Error(`the page has no data-${name}`);
  return found;
}
