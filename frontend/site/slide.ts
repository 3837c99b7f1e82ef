/* A slide on its page, to be zoomed: OpenSeadragon over Deep Zoom. Without it the picture of the whole stays. */
import OpenSeadragon from "openseadragon";
import { byId } from "./stage";

/*
 * OpenSeadragon adds a style element unless it finds one of its own, which the policy of our pages forbids and the
 * console would tell. One that is no HTML has the name, and no effect.
 */
function keepStylesOut(): void {
  const mark = document.createElementNS("urn:medtheca:none", "style");
  mark.setAttribute("data-openseadragon-mobile-css", "false");
  document.head.append(mark);
}

function startSlide(root: HTMLElement): void {
  const canvas = byId<HTMLElement>(root, "slide-canvas");
  const picture = byId<HTMLImageElement>(root, "slide-picture");
  const scale = root.querySelector<HTMLOutputElement>("[data-slide-scale]");
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const ground = document.createElement("div");
  ground.className = "slide-ground";
  canvas.append(ground);
  const viewer = OpenSeadragon({
    element: ground,
    tileSources: root.dataset.slide ?? "",
    drawer: "canvas",
    showNavigationControl: false,
    animationTime: still ? 0 : 0.5,
    immediateRender: still,
    visibilityRatio: 0.5,
    minZoomImageRatio: 0.8,
    maxZoomPixelRatio: 4,
    gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
  });
  viewer.addHandler("open", () => {
    // Whoever cannot see keeps its words; it lies under the tiles.
    picture.classList.add("sr-only");
    root.dataset.open = "";
  });
  viewer.addHandler("open-failed", () => {
    ground.remove();
    root.querySelector<HTMLElement>(".viewer-bar")?.setAttribute("hidden", "");
  });
  viewer.addHandler("tile-drawn", () => {
    root.dataset.drawn = "";
  });
  viewer.addHandler("zoom", () => {
    if (!scale) return;
    const item = viewer.world.getItemAt(0);
    if (item) scale.textContent = `${Math.round(item.viewportToImageZoom(viewer.viewport.getZoom()) * 100)} %`;
  });
  for (const button of root.querySelectorAll<HTMLButtonElement>("[data-slide-zoom]")) {
    button.addEventListener("click", () => {
      viewer.viewport.zoomBy(Number(button.dataset.slideZoom));
      viewer.viewport.applyConstraints();
    });
  }
  root.querySelector("[data-slide-whole]")?.addEventListener("click", () => viewer.viewport.goHome());
}

keepStylesOut();
for (const root of document.querySelectorAll<HTMLElement>("[data-slide]")) startSlide(root);
