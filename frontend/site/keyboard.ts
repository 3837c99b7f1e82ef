/* Arrow keys walk over the pictures of a grid. */

export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function walk(grid: HTMLElement, key: string): void {
  const tiles = [...grid.querySelectorAll<HTMLElement>(".tile")];
  const at = tiles.indexOf(document.activeElement as HTMLElement);
  if (at < 0) return;
  const columns = getComputedStyle(grid).gridTemplateColumns.split(" ").length;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key] ?? 0;
  const to = key === "Home" ? 0 : key === "End" ? tiles.length - 1 : at + step;
  tiles[to]?.focus();
}

export function startKeyboard(): void {
  document.addEventListener("keydown", (event) => {
    if (!/^(Arrow(Left|Right|Up|Down)|Home|End)$/.test(event.key) || isTyping(event.target)) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const grid = (event.target as Element).closest<HTMLElement>(".tile-grid");
    if (!grid) return;
    event.preventDefault();
    walk(grid, event.key);
  });
}
